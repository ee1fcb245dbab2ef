package oktest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/go-okru/okru/internal/redact"
)

// InProcess returns a RoundTripper that reaches the same fake under the same
// URLs as [Server.Transport], without a listener and without TLS: the request
// and the answer never leave the process, which makes it the one for bubbles
// of [testing/synctest]:
//
//	synctest.Test(t, func(t *testing.T) {
//		srv := oktest.NewServer(oktest.App{})
//		defer srv.Close()
//		client := myprogram.NewClient(srv.InProcess(), srv.NewUser("anna", "password").Token())
//		time.Sleep(30 * time.Minute) // takes no time, and the session has expired
//		…
//	})
//
// Faults look as they do over a network: a reset is an error that is
// [syscall.ECONNRESET], a truncated body ends in [io.ErrUnexpectedEOF], pauses
// end with the context of the request.
//
// A request runs in a goroutine of its own, which has ended when the answer
// comes; if the context ends first, RoundTrip returns without waiting. Like an
// [*http.Transport] it decompresses what the caller did not ask to have
// compressed. It is safe for concurrent use by multiple goroutines.
func (s *Server) InProcess() http.RoundTripper { return &inProcess{server: s} }

type inProcess struct{ server *Server }

// RoundTrip implements [http.RoundTripper].
func (t *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	body := &requestBody{from: r.Body}
	defer body.Close()
	if err := t.check(r); err != nil {
		return nil, err
	}
	v, err := t.server.admitVisit(r.Context())
	if err != nil {
		return nil, err
	}
	go v.serve(t.server, incoming(r, v.ctx, body))
	select {
	case <-v.done:
	case <-v.ctx.Done():
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if !v.answered() {
		return nil, errClosed
	}
	return v.answer.response(r)
}

// Format keeps the server, and what it holds, out of print.
func (t *inProcess) Format(f fmt.State, _ rune) {
	redact.Format(f, t.server.String()+", in process")
}

func (t *inProcess) check(r *http.Request) error {
	switch {
	case r.URL == nil:
		return refusal("okru: oktest: the request has no URL")
	case r.Header == nil:
		return refusal("okru: oktest: the request has no Header")
	}
	if err := foreign(r.URL); err != nil {
		return err
	}
	return r.Context().Err()
}

// incoming returns r as a server would see it.
func incoming(r *http.Request, ctx context.Context, body io.ReadCloser) *http.Request {
	in := r.Clone(ctx) // it may outlive RoundTrip
	in.Body = body
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:1"
	if in.Method == "" {
		in.Method = http.MethodGet
	}
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	return in
}

// requestBody is the body of a request, which it closes once.
type requestBody struct {
	from io.ReadCloser // nil: there is none
	once sync.Once
}

func (b *requestBody) Read(p []byte) (int, error) {
	if b.from == nil {
		return 0, io.EOF
	}
	return b.from.Read(p)
}

func (b *requestBody) Close() (err error) {
	if b.from != nil {
		b.once.Do(func() { err = b.from.Close() })
	}
	return err
}
