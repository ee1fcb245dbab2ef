package ratelimit_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// rejecting lets the first calls pass and rejects the others.
type rejecting struct {
	recorder
	granted, first int
}

var errRejecting = errors.New("rejected")

func (l *rejecting) Wait(context.Context) error {
	if l.granted == l.first {
		return errRejecting
	}
	l.granted++
	return nil
}

// Each Wait that was granted is followed by one Observe, however the repeat
// within a call ends.
func TestChargeKeepsTheAccount(t *testing.T) {
	for _, granted := range []int{0, 1, 2} {
		l := &rejecting{first: granted}
		limit := ratelimit.Limit{Limiter: l}
		rt := limit.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			if err := limit.Charge(r); err != nil {
				return nil, err
			}
			return response(r, http.StatusOK, `{"error_code":8}`), nil
		}))
		_, err := rt.RoundTrip(newRequest(t.Context(), "users.getInfo"))
		if rejected := granted < 2; errors.Is(err, errRejecting) != rejected || errors.Is(err, ratelimit.ErrLimited) != rejected {
			t.Errorf("with %d calls granted the error is %v", granted, err)
		}
		if l.granted != granted || len(l.seen) != granted {
			t.Errorf("%d calls were granted, and %d outcomes observed", l.granted, len(l.seen))
		}
		if granted == 2 && (l.seen[0].Throttled || !l.seen[1].Throttled) {
			t.Errorf("observed %+v; want the rejection of the repeat", l.seen)
		}
	}
}

func TestChargeUsesTheKey(t *testing.T) {
	made := make(map[string]*recorder)
	limit := ratelimit.Limit{
		Limiter: ratelimit.NewKeyed(0, func(key string) ratelimit.Limiter {
			made[key] = new(recorder)
			return made[key]
		}),
		Key: func(r *http.Request) string { return r.URL.Query().Get("method") },
	}
	must(t, limit.Charge(newRequest(t.Context(), "users.getInfo")))
	if l := made["users.getInfo"]; len(made) != 1 || l.waits != 1 || len(l.seen) != 1 {
		t.Errorf("limiters are %v; want that of the method, asked once and observing once", made)
	}
	must(t, ratelimit.Limit{}.Charge(newRequest(t.Context(), "users.getInfo")))
}

// A response that a layer below has made an error of is a response.
func TestLimitAboveDecode(t *testing.T) {
	l := new(recorder)
	rt := ratelimit.Limit{Limiter: l}.Wrap(okerrors.Decode(transport.Func(func(r *http.Request) (*http.Response, error) {
		return response(r, http.StatusOK, `{"error_code":8,"error_msg":"FLOOD_BLOCKED : x"}`), nil
	})))
	if _, err := rt.RoundTrip(newRequest(t.Context(), "users.getInfo")); !errors.Is(err, okerrors.CodeFloodBlocked) {
		t.Fatalf("error is %v; want FLOOD_BLOCKED", err)
	}
	if len(l.seen) != 1 || !l.seen[0].Throttled || l.seen[0].Err != nil {
		t.Errorf("observed %+v; want a rejection", l.seen)
	}
}

// A 503 slows whatever its body says, unless that says it is about something
// else.
func TestLimitTellsStatusAndCode(t *testing.T) {
	for text, throttled := range map[string]bool{
		"": true, `{"error_code":2}`: true, `{"error_code":8}`: true, `{"error_code":7}`: false, `{"error_code":11}`: false,
	} {
		l := new(recorder)
		rt := ratelimit.Limit{Limiter: l}.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			return response(r, http.StatusServiceUnavailable, text), nil
		}))
		send(t, rt, newRequest(t.Context(), "users.getInfo"))
		if len(l.seen) != 1 || l.seen[0].Throttled != throttled {
			t.Errorf("503 with %q: observed %+v; want Throttled: %t", text, l.seen, throttled)
		}
	}
}
