package oktest

import (
	"context"
	"net/http"
)

// A visit is a request under way in process.
type visit struct {
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	answer *answer // once done is closed; nil: there is none
}

// admitVisit makes a visit that Close knows of.
func (s *Server) admitVisit(ctx context.Context) (*visit, error) {
	v := &visit{done: make(chan struct{})}
	v.ctx, v.cancel = context.WithCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		v.cancel()
		return nil, errClosed
	}
	s.inside[v] = struct{}{}
	return v, nil
}

func (v *visit) serve(s *Server, r *http.Request) {
	defer func() {
		s.mu.Lock()
		delete(s.inside, v)
		s.mu.Unlock()
		close(v.done)
		v.cancel()
	}()
	a := s.serve(r)
	if sleep(r.Context(), a.delay) {
		v.answer = &a
	}
}

func (v *visit) answered() bool {
	select {
	case <-v.done:
		return v.answer != nil
	default:
		return false
	}
}

// leave ends all visits and waits for them.
func (s *Server) leave() {
	s.mu.Lock()
	s.closed = true
	var visits []*visit
	for v := range s.inside {
		visits = append(visits, v)
	}
	s.mu.Unlock()
	for _, v := range visits {
		v.cancel()
		<-v.done
	}
}
