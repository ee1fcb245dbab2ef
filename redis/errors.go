package okredis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-okru/okru/ratelimit"
)

// rejected is the error of a call that a Bucket rejected by itself.
type rejected struct {
	limited  *ratelimit.LimitedError // for errors.As, and for Is(ErrLimited)
	reason   string
	deadline bool // the deadline of the context is the reason
}

// late returns the error of a call whose slot comes after its deadline.
func late(key string, wait time.Duration) error {
	return &rejected{
		limited:  &ratelimit.LimitedError{Key: key, Wait: max(wait, 0)},
		reason:   fmt.Sprintf("its slot comes after the deadline of its context (it would wait %v)", wait.Round(time.Millisecond)),
		deadline: true,
	}
}

// Error returns why the call was not sent.
func (e *rejected) Error() string {
	text := "okru: not sent, because of the shared rate limit"
	if e.limited.Key != "" {
		text += fmt.Sprintf(" of key %q", e.limited.Key)
	}
	return text + ": " + e.reason
}

// Is reports whether target is [context.DeadlineExceeded] and the deadline is
// the reason.
func (e *rejected) Is(target error) bool { return e.deadline && target == context.DeadlineExceeded }

// Unwrap returns a [*ratelimit.LimitedError], which is [ratelimit.ErrLimited].
func (e *rejected) Unwrap() error { return e.limited }

// Timeout reports whether the deadline is the reason.
func (e *rejected) Timeout() bool { return e.deadline }

// Terminal returns true: a retry would be rejected too.
func (e *rejected) Terminal() bool { return true }

// contextErr returns the error of ctx together with its cause, or nil.
func contextErr(ctx context.Context) error {
	err := ctx.Err()
	if cause := context.Cause(ctx); cause != err {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}

// redisError returns err, an error of go-redis, as one that quotes no argument
// of a command. Redis quotes arguments of commands that it does not know, and a
// session may be one: of what Redis says, only the first word is kept, which is
// its code.
func redisError(err error) error {
	reply, ok := errors.AsType[redis.Error](err)
	if !ok {
		return err
	}
	code, _, _ := strings.Cut(reply.Error(), " ")
	switch hint := hints[code]; {
	case hint != "":
		return fmt.Errorf("redis replied %s: %s", code, hint)
	case len(code) > 20:
		return errors.New("redis replied with an error")
	}
	return fmt.Errorf("redis replied %s", code)
}

// hints explain what Redis says most.
var hints = map[string]string{
	"ERR":         "it cannot run the command; is it older than 6.0, or is the key in use for something else?",
	"WRONGTYPE":   "the key has another content; is it in use for something else?",
	"NOAUTH":      "it needs a password",
	"WRONGPASS":   "wrong user or password",
	"NOPERM":      "the Redis user may not use the key, or may not run scripts",
	"OOM":         "it has no memory left",
	"LOADING":     "it is starting",
	"READONLY":    "it is a replica",
	"CLUSTERDOWN": "the cluster is not complete",
	"MISCONF":     "it cannot save to disk",
}
