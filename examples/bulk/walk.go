package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-okru/okru"
)

const (
	chunkSize  = 100         // the most that users.getInfo takes
	maxRounds  = 5           // how often a chunk is asked for
	roundPause = time.Second // before the second round, then doubled each time
	callLimit  = time.Minute // for a call with all its repeats: a client has no timeout of its own
)

// A user is what the walk asks about each id.
type user struct {
	ID   string `json:"uid"`
	Name string `json:"name"`
}

// A walker asks for many users.
type walker struct {
	client   *http.Client
	workers  int
	progress func(ids int) // called by all workers, with the number of ids in the last response
}

// A harvest is what came of a walk.
type harvest struct {
	asked    int
	users    []user   // those that OK knows
	left     []string // ids without a response
	failures int      // calls that failed in spite of their repeats
}

// walk asks for all ids, which should differ, chunk by chunk. What fails in
// one round is asked again in the next. The error is nil if and only if no id
// is left.
func (w walker) walk(ctx context.Context, ids []string) (harvest, error) {
	h := harvest{asked: len(ids)}
	left := slices.Collect(slices.Chunk(ids, chunkSize))
	var err error
	for n := 0; n < maxRounds && len(left) > 0; n++ {
		if err = pause(ctx, n); err != nil {
			break
		}
		if left, err = w.round(ctx, left, &h); isFinal(err) {
			break
		}
	}
	h.left = slices.Concat(left...)
	return h, err
}

// pause waits before round n, the first being 0.
func pause(ctx context.Context, n int) error {
	if n == 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(roundPause << (n - 1)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// round asks for each chunk once and adds what comes to h. It returns the
// chunks that failed, and one of their errors: the final one, if there is one,
// since then the others were only cancelled.
func (w walker) round(ctx context.Context, chunks [][]string, h *harvest) (failed [][]string, err error) {
	users, errs := make([][]user, len(chunks)), make([]error, len(chunks))
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(w.workers)
	down := outage{tolerated: 2 * w.workers}
	for i, ids := range chunks {
		all.Go(func() error {
			users[i], errs[i] = w.ask(ctx, ids)
			return down.check(errs[i])
		})
	}
	final := all.Wait()
	for i, e := range errs {
		switch {
		case e == nil:
			h.users = append(h.users, users[i]...)
			continue
		case !errors.Is(e, context.Canceled):
			h.failures++
			err = e
		}
		failed = append(failed, chunks[i])
	}
	return failed, cmp.Or(final, err)
}

// ask asks for one chunk. The client waits for its turn and repeats the call
// if that may help; the worker need not know.
func (w walker) ask(ctx context.Context, ids []string) ([]user, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	users, err := okru.Call[[]user](ctx, w.client, "users.getInfo", url.Values{
		"uids":   {strings.Join(ids, ",")},
		"fields": {"uid,name"},
	})
	if err == nil {
		w.progress(len(ids))
	}
	return users, err
}
