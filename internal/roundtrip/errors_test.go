package roundtrip_test

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/go-okru/okru/internal/roundtrip"
)

func TestContextErr(t *testing.T) {
	shutdown := errors.New("shutting down")
	past := time.Now().Add(-time.Second)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithDeadline(t.Context(), past)
	defer cancel()
	caused, cancelCause := context.WithCancelCause(t.Context())
	cancelCause(shutdown)
	late, cancel := context.WithDeadlineCause(t.Context(), past, shutdown)
	defer cancel()
	for name, c := range map[string]struct {
		ctx      context.Context
		err      error
		hasCause bool
		timeout  bool
	}{
		"going on":              {t.Context(), nil, false, false},
		"canceled":              {canceled, context.Canceled, false, false},
		"expired":               {expired, context.DeadlineExceeded, false, true},
		"canceled for a cause":  {caused, context.Canceled, true, false},
		"expired with a cause":  {late, context.DeadlineExceeded, true, true},
		"a child of one caused": {context.WithValue(caused, new(int), 0), context.Canceled, true, false},
	} {
		err := roundtrip.ContextErr(c.ctx)
		if !errors.Is(err, c.err) || errors.Is(err, shutdown) != c.hasCause {
			t.Errorf("%s: error is %v; want %v, and the cause: %t", name, err, c.err, c.hasCause)
		}
		if !c.hasCause && err != c.err {
			t.Errorf("%s: error is %#v; want that of the context itself", name, err)
		}
		if timeout := (&url.Error{Err: err}).Timeout(); timeout != c.timeout {
			t.Errorf("%s: Timeout is %t; want %t", name, timeout, c.timeout)
		}
	}
}

// The text of an error has the end of its context first, and nothing twice.
func TestContextErrText(t *testing.T) {
	broken, shutdown := errors.New("connection broken"), errors.New("shutting down")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	caused, cancelCause := context.WithCancelCause(t.Context())
	cancelCause(shutdown)
	for _, test := range []struct {
		ctx  context.Context
		err  error
		want string
	}{
		{t.Context(), broken, "connection broken"},
		{canceled, nil, "context canceled"},
		{canceled, broken, "context canceled: connection broken"},
		{canceled, context.Canceled, "context canceled"},
		{caused, nil, "context canceled: shutting down"},
		{caused, shutdown, "context canceled: shutting down"},
		{caused, broken, "context canceled: shutting down: connection broken"},
	} {
		if got := roundtrip.WithContext(test.ctx, test.err); got.Error() != test.want {
			t.Errorf("the error is %q, want %q", got, test.want)
		}
	}
}
