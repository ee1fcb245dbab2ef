package callback

// This file keeps the events that are being handled, so that a repeat by OK does
// not handle one twice at the same time.

import (
	"crypto/sha256"
	"sync"
)

// maxRemembered bounds the events that are remembered because they were
// handled after their response.
const maxRemembered = 1000

// runs are the calls of Handle: those in progress, and those that succeeded
// after OK was asked to repeat the event. The zero value has none.
type runs struct {
	mu       sync.Mutex
	byID     map[runID]*run // those in progress, and those in finished
	finished []runID        // in byID, in the order in which they ended
}

// A runID is the hash of an event.
type runID [sha256.Size]byte

// A run is one call of Handle.
type run struct {
	done chan struct{} // closed at the end
	err  error         // once done is closed
	late bool          // a response asked OK to repeat the event; guarded by runs.mu
}

// join returns the run of the event, a new one if there is none.
func (r *runs) join(id runID) (_ *run, isNew bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.byID[id]; known != nil {
		return known, false
	}
	if r.byID == nil {
		r.byID = make(map[runID]*run)
	}
	added := &run{done: make(chan struct{})}
	r.byID[id] = added
	return added, true
}

// markLate notes that OK will repeat the event.
func (r *runs) markLate(late *run) {
	r.mu.Lock()
	defer r.mu.Unlock()
	late.late = true
}

// end ends a run. Only one that succeeded, and whose event OK will repeat, is
// remembered: a failed one is to be repeated, and others will not be.
func (r *runs) end(id runID, ended *run, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ended.err = err
	close(ended.done)
	if err != nil || !ended.late {
		delete(r.byID, id)
		return
	}
	r.finished = append(r.finished, id)
	if len(r.finished) > maxRemembered {
		delete(r.byID, r.finished[0])
		r.finished = r.finished[1:]
	}
}

// succeeded reports whether the run has ended without an error.
func (r *run) succeeded() bool {
	select {
	case <-r.done:
		return r.err == nil
	default:
		return false
	}
}
