package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
)

// errOutage reports that the service seems to be out of reach.
var errOutage = errors.New("the service fails every call")

// An outage counts the failures since the last success, of all workers: one
// chunk that fails can wait for the next round, but when all do, there is no
// point in sending the rest of ten thousand ids after them.
type outage struct {
	tolerated int
	failures  atomic.Int64
}

// check takes note of how a call ended and returns an error if the walk should
// end.
func (o *outage) check(err error) error {
	if err == nil {
		o.failures.Store(0)
		return nil
	}
	if isFinal(err) {
		return err
	}
	if n := o.failures.Add(1); n > int64(o.tolerated) {
		return fmt.Errorf("%w, %d in a row: %w", errOutage, n, err)
	}
	return nil
}

// isFinal reports whether err would come again in the next round, from any
// chunk: a session that was rejected, a quota that is used up, a bad signature,
// Ctrl-C.
func isFinal(err error) bool {
	if errors.Is(err, errOutage) || errors.Is(err, context.Canceled) {
		return true
	}
	if e, ok := errors.AsType[*okerrors.Error](err); ok {
		return e.Code != okerrors.CodeFloodBlocked && !errors.Is(e, okerrors.ErrTransient)
	}
	if e, ok := errors.AsType[*okru.AnswerError](err); ok {
		return e.Status/100 == 4 && e.Status != http.StatusTooManyRequests
	}
	rejected, ok := errors.AsType[interface {
		error
		Terminal() bool // the client rejected the call locally
	}](err)
	return ok && rejected.Terminal() && !errors.Is(err, context.DeadlineExceeded)
}
