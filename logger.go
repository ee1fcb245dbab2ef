package okru

// This file has the layer of Config.Logger. It sits above all other layers and
// learns by a transport.Trace what they did, so no other layer logs anything.

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
	"github.com/go-okru/okru/internal/token"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// logger is the layer of Config.Logger, above all others. It knows of a call
// what a Trace reports, and how the call has ended.
type logger struct {
	roundtrip.Base
	log *slog.Logger
}

// RoundTrip implements [http.RoundTripper].
func (l *logger) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, _, err := l.RoundTripVerdict(r)
	return resp, err
}

// RoundTripVerdict implements [roundtrip.Verdicter].
func (l *logger) RoundTripVerdict(r *http.Request) (resp *http.Response, v roundtrip.Verdict, err error) {
	// Error is the highest level that a record has. If that is off, so are the
	// others.
	if !l.Hosts.IsCall(r.URL) || !l.log.Enabled(r.Context(), slog.LevelError) {
		return l.Send(r)
	}
	c := loggedCall{begun: okcall.Clock()}
	trace := transport.Trace{Limited: c.limited, Done: c.done}
	resp, v, err = l.Send(r.WithContext(transport.WithTrace(r.Context(), &trace)))
	returned := false
	defer func() { // the handler may panic
		if !returned && resp != nil {
			resp.Body.Close()
		}
	}()
	if resp != nil {
		resp.Request = r
	}
	c.write(l.log, r, err)
	returned = true
	return resp, v, err
}

// A loggedCall is what is known about a call.
type loggedCall struct {
	begun time.Duration // by okcall.Clock

	mu      sync.Mutex         // a layer of the program may send an attempt to several places at once
	waited  time.Duration      // for the limiter, all attempts together
	renewed bool               // an attempt was sent twice, with a newer session
	last    transport.DoneInfo // the last attempt; N 0: none was sent
}

// limited is the hook Limited of the Trace: waits of all attempts add up.
func (c *loggedCall) limited(i transport.LimitedInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waited += i.Wait
}

// done is the hook Done: the last attempt is how the call has ended.
func (c *loggedCall) done(i transport.DoneInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.renewed = c.renewed || i.Renewed
	c.last = i
}

// write writes the record of the call r, which has returned err.
func (c *loggedCall) write(log *slog.Logger, r *http.Request, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		err = c.last.Err // which PassErrors has left in the response
	}
	if level := c.level(err); log.Enabled(r.Context(), level) {
		log.LogAttrs(r.Context(), level, c.message(err), c.attrs(r, err)...)
	}
}

// level returns the level of the record of a call that has ended with err.
func (c *loggedCall) level(err error) slog.Level {
	switch {
	case err != nil:
		for _, expected := range []error{okerrors.ErrSession, token.ErrSignIn, okerrors.ErrPermission, okerrors.ErrThrottled, ratelimit.ErrLimited} {
			if errors.Is(err, expected) {
				return slog.LevelWarn
			}
		}
		return slog.LevelError
	case c.last.Status == http.StatusTooManyRequests, c.last.Status == http.StatusServiceUnavailable:
		return slog.LevelWarn
	case c.last.Status >= 400:
		return slog.LevelError
	case c.last.N > 1, c.renewed:
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// message returns the message of the record, one of four: programs may search
// for it.
func (c *loggedCall) message(err error) string {
	switch {
	case err != nil, c.last.Status >= 400:
		return "okru: call failed"
	case c.last.N > 1:
		return "okru: call succeeded after a repeat"
	case c.renewed:
		return "okru: call succeeded with a renewed session"
	}
	return "okru: call succeeded"
}

// attrs returns the attributes of the record. One that there is not, such as the
// circuit of a call that was not sent or not signed, is left out.
func (c *loggedCall) attrs(r *http.Request, err error) []slog.Attr {
	method := c.last.Method
	if method == "" {
		method = transport.Method(r)
	}
	attrs := append(make([]slog.Attr, 0, 8), slog.String("method", method))
	if c.last.Circuit != transport.Auto {
		attrs = append(attrs, slog.String("circuit", c.last.Circuit.String()))
	}
	attrs = append(attrs, slog.Int("attempts", c.last.N), slog.Duration("waited", c.waited), slog.Duration("duration", okcall.Clock()-c.begun))
	if c.last.Status != 0 {
		attrs = append(attrs, slog.Int("status", c.last.Status))
	}
	if c.last.Code != 0 {
		attrs = append(attrs, slog.Int("code", int(c.last.Code)))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	return attrs
}

// Format implements [fmt.Formatter]. The handler and the RoundTripper below may
// have secrets, and are not printed.
func (l *logger) Format(f fmt.State, _ rune) {
	redact.Format(f, fmt.Sprintf("okru.Config.Logger(%T)", l.Next))
}
