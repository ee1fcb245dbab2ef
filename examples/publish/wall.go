package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-okru/okru"
)

// errUndecided is the error if the topics of the group do not show whether a
// post is among them.
var errUndecided = errors.New("it may be in the group or not")

// recent is how far back from a post the topics of the group are listed. It is
// long enough for a wrong clock, and short enough for one or two pages.
const recent = 24 * time.Hour

// readBack finds out whether m, which is intended, is in the group:
//
//   - A topic that was not there before and has the text of m is m.
//   - If there is no topic that was not there before, m is not in the group.
//   - Otherwise the user must decide: a new topic has another text, perhaps
//     because OK has changed it, or m has no text.
func (p *publisher) readBack(ctx context.Context, m post) error {
	e := p.journal.last[m.name]
	if err := sleepUntil(ctx, e.Time.Add(p.settle)); err != nil {
		return err
	}
	fresh, err := p.freshTopics(ctx, e)
	if err != nil {
		return fmt.Errorf("reading back: %w", err)
	}
	var found []string
	for id, text := range fresh {
		if text != "" && digest(text) == e.Text {
			found = append(found, id)
		}
	}
	switch {
	case len(found) == 1:
		p.say("%s: found in the group as %s", m.name, found[0])
		return p.journal.write(entry{Post: m.name, State: done, Topic: found[0]})
	case len(fresh) == 0:
		p.say("%s: it is not in the group", m.name)
		return p.journal.write(entry{Post: m.name, State: absent})
	default:
		ids := slices.Sorted(maps.Keys(fresh))
		return fmt.Errorf("%w: the topics %s are new, and %d of them have its text", errUndecided, strings.Join(ids, ", "), len(found))
	}
}

// digest identifies a text, whatever OK does to white space.
func digest(text string) string {
	sum := sha256.Sum256([]byte(strings.Join(strings.Fields(text), " ")))
	return hex.EncodeToString(sum[:])
}

// freshTopics returns the topics of the group that were not there before e,
// with their texts, and that are no other post of the journal.
func (p *publisher) freshTopics(ctx context.Context, e entry) (map[string]string, error) {
	ids, err := p.topicsSince(ctx, e.Time.Add(-recent))
	if err != nil {
		return nil, err
	}
	known := slices.Clone(e.Known)
	for _, other := range p.journal.last {
		known = append(known, other.Topic)
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(known, id) })
	return p.texts(ctx, ids)
}

// topicsSince returns the ids of the topics of the group since t.
func (p *publisher) topicsSince(ctx context.Context, t time.Time) ([]string, error) {
	type page struct {
		Topics json.RawMessage `json:"topics"`
	}
	var ids []string
	for page, err := range okru.Pages[page](ctx, p.client, "group.getStatTopics", url.Values{
		"gid": {p.group}, "start_time": {strconv.FormatInt(t.UnixMilli(), 10)}, "count": {"100"}, "fields": {"ID"},
	}) {
		if err != nil {
			return nil, err
		}
		var topics []struct{ ID string }
		if err := json.Unmarshal(page.Topics, &topics); err != nil { // such as a page without topics
			return nil, fmt.Errorf("a page of group.getStatTopics: %w", err)
		}
		for _, t := range topics {
			ids = append(ids, t.ID)
		}
	}
	return ids, nil
}

// texts returns the text of each topic, or "" for one that has none or is gone.
func (p *publisher) texts(ctx context.Context, ids []string) (map[string]string, error) {
	texts := make(map[string]string)
	for chunk := range slices.Chunk(ids, 100) {
		for _, id := range chunk {
			texts[id] = ""
		}
		type response struct {
			Topics []struct {
				ID    string
				Media []struct{ Type, Text string }
			} `json:"media_topics"`
		}
		read, err := okru.Call[response](ctx, p.client, "mediatopic.getByIds", url.Values{
			"topic_ids": {strings.Join(chunk, ",")}, "media_limit": {"3"}, "fields": {"media_topic.*"},
		})
		if err != nil {
			return nil, err
		}
		for _, t := range read.Topics {
			for _, block := range t.Media {
				texts[t.ID] += block.Text
			}
		}
	}
	return texts, nil
}

// sleepUntil waits until t, but not if ctx ends.
func sleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
