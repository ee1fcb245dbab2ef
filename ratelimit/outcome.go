package ratelimit

import (
	"errors"
	"net/http"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/retryafter"
)

// quotaState is what an answer says about the quota of its method.
type quotaState int8

const (
	quotaUnknown quotaState = iota
	quotaThere
	quotaSpent
)

// outcome tells how a request ended that was sent then.
func outcome(sent time.Time, resp *http.Response, err error) (Outcome, quotaState) {
	o := Outcome{Sent: sent}
	e, failed := okerrors.FromResponse(resp)
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
		o.RetryAfter, _ = retryafter.Parse(resp.Header, time.Now())
	}
	return o, quota
}

// throttled tells whether an answer refuses a call for the number of all calls.
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
