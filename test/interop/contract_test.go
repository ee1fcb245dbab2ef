package interop_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

// A peer is one combination. over returns a caller over base, with the session
// of a user of srv.
type peer struct {
	name string
	over func(srv *oktest.Server, base http.RoundTripper, scopes ...string) caller

	// Rules that the peer breaks: how to live with it is in doc.go. A test
	// fails, too, when a peer has begun to keep one.
	keepsIdle  bool // does not forward CloseIdleConnections
	leavesBody bool // does not close the body of a request
}

var peers = []peer{
	{name: "none", over: func(srv *oktest.Server, base http.RoundTripper, scopes ...string) caller {
		return by(newClient(over(srv, base, scopes...)))
	}},
	{name: "resty v2", over: restyV2},
	{name: "resty v3", over: restyV3},
	{name: "oapi-codegen", over: generated},
	{name: "otelhttp above", over: otelAbove, keepsIdle: true},
	{name: "promhttp above", over: promAbove, keepsIdle: true},
	{name: "promhttp below", over: promBelow, keepsIdle: true},
	{name: "httpcache above", over: cacheAbove, keepsIdle: true},
	{name: "go-vcr below", over: vcrBelow, keepsIdle: true},
	{name: "failsafe above", over: failsafeAbove, keepsIdle: true, leavesBody: true},
	{name: "failsafe below", over: failsafeBelow, keepsIdle: true},
	{name: "retryablehttp above", over: retryableAbove, keepsIdle: true, leavesBody: true},
}

// The contract of net/http, and what a program expects of okru, hold through
// each peer.
func TestContract(t *testing.T) {
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			for name, check := range map[string]func(*testing.T, peer){
				"API errors":       checkErrors,
				"bodies":           checkBodies,
				"idle connections": checkIdle,
				"cancellation":     checkCancel,
				"a write, once":    checkOnce,
			} {
				t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { check(t, p) }) })
			}
		})
	}
}

// stage returns a fake in a bubble, and a caller through p.
func stage(t *testing.T, p peer, scopes ...string) (*oktest.Server, *bottom, caller) {
	t.Helper()
	srv := oktest.NewServer(oktest.App{})
	t.Cleanup(srv.Close)
	b := &bottom{next: srv.InProcess()}
	return srv, b, p.over(srv, b, scopes...)
}

func checkErrors(t *testing.T, p peer) {
	srv, _, c := stage(t, p)
	err := c.setStatus(t.Context())
	e, ok := errors.AsType[*okerrors.Error](err)
	if !ok || e.Code != okerrors.CodePermissionDenied || e.Method != "users.setStatus" {
		t.Errorf("a rejected call: %v", err)
	}
	if !errors.Is(err, okerrors.ErrPermission) {
		t.Errorf("%v is not of its class", err)
	}
	srv.Inject(oktest.Fault{Status: http.StatusNotFound})
	if err := c.setStatus(t.Context()); errors.Is(err, okerrors.ErrPermission) {
		t.Errorf("a page without an API error: %v", err)
	}
}

func checkBodies(t *testing.T, p peer) {
	srv, b, c := stage(t, p)
	if err := c.friends(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.setStatus(t.Context()); err == nil {
		t.Error("a call without its scope succeeds")
	}
	srv.Inject(oktest.Fault{Status: http.StatusServiceUnavailable})
	_ = c.friends(t.Context()) // a response to some peers, an error to others
	synctest.Wait()
	if b.open != 0 {
		t.Errorf("%d bodies of responses are still open", b.open)
	}
	if c.bodyClosed != nil && *c.bodyClosed == p.leavesBody {
		t.Errorf("the body of the request is closed: %v", *c.bodyClosed)
	}
}

func checkIdle(t *testing.T, p peer) {
	_, b, c := stage(t, p)
	c.closeIdle()
	if b.idleClosed == p.keepsIdle {
		t.Errorf("CloseIdleConnections reaches the bottom: %v", b.idleClosed)
	}
}

// A call that waits for its response ends with its context. One that did not
// would deadlock the bubble.
func checkCancel(t *testing.T, p peer) {
	_, b, c := stage(t, p)
	for name, call := range map[string]func(context.Context) error{"friends": c.friends, "setStatus": c.setStatus} {
		ctx, cancel := context.WithCancel(t.Context())
		b.stall = cancel
		if err := call(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.stall = nil
}

// The connection breaks after a write ran: it must not be sent again.
func checkOnce(t *testing.T, p peer) {
	srv, b, c := stage(t, p, "SET_STATUS")
	srv.Inject(oktest.Fault{Method: "users.setStatus", Reset: true, AfterRun: true})
	if err := c.setStatus(t.Context()); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a reset: %v", err)
	}
	if n := len(b.urls); n != 1 {
		t.Errorf("the write was sent %d times", n)
	}
	if calls := srv.Calls(); !slices.ContainsFunc(calls, func(c oktest.Call) bool { return c.Ran }) {
		t.Errorf("the write did not run: %v", calls)
	}
}
