package ratelimit

import (
	"errors"
	"net/http"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
)

// quotaState is what an answer says about the quota of its method.
type quotaState int8

const (
	quotaUnknown quotaState = iota
	quotaThere
	quotaSpent
)

// isCall reports whether r is an API call by its path, whatever the host: a
// Signer below knows its hosts, a Limit does not. The answers to others are not
// looked into, since they may be streams that have yet to begin.
func isCall(r *http.Request) bool { return r.URL != nil && okcall.IsPath(r.URL.Path) }

// outcome tells how r ended, which was sent then.
func outcome(r *http.Request, sent time.Time, resp *http.Response, err error) (Outcome, quotaState) {
	o := Outcome{Sent: sent}
	var e *okerrors.Error
	var failed bool
	if isCall(r) {
		e, failed = okerrors.FromResponse(resp)
	}
	if err != nil {
		if e, failed = errors.AsType[*okerrors.Error](err); !failed {
			o.Err = err
			return o, quotaUnknown
		}
		// A layer below has made an error of the answer.
		resp = &http.Response{StatusCode: e.Status}
	}
	quota := quotaThere
	if o.Throttled = throttled(resp.StatusCode, e); o.Throttled {
		quota = quotaUnknown
	} else if failed && e.Code == okerrors.CodeLimitReached {
		quota = quotaSpent
	}
	if quota != quotaThere {
		o.RetryAfter, _ = roundtrip.RetryAfter(resp.Header, time.Now())
	}
	return o, quota
}

// throttled reports whether an answer refuses a call for the number of all calls.
// Most codes of that class are about something else, whatever the status.
func throttled(status int, e *okerrors.Error) bool {
	if e != nil {
		switch e.Code {
		case okerrors.CodeFloodBlocked, okerrors.CodeIPBlocked:
			return true
		}
		if errors.Is(e, okerrors.ErrThrottled) {
			return false
		}
	}
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}
