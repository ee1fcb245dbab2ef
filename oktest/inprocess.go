package oktest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-okru/okru/internal/redact"
)

// InProcess returns a RoundTripper that reaches the same fake under the same
// URLs as [Server.Transport], without a listener and without TLS: the request
// and the response never leave the process. Use it in bubbles of
// [testing/synctest]:
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
// A request runs in a goroutine of its own, which has ended when the response
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
	if !v.responded() {
		return nil, errClosed
	}
	return v.response.toHTTP(r)
}

// Format implements [fmt.Formatter]: every verb writes what the transport is,
// without secrets.
func (t *inProcess) Format(f fmt.State, _ rune) {
	redact.Format(f, t.server.String()+", in process")
}

func (t *inProcess) check(r *http.Request) error {
	switch {
	case r.URL == nil:
		return localError("okru: oktest: the request has no URL")
	case r.Header == nil:
		return localError("okru: oktest: the request has no Header")
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

// A visit is a request in progress, in process.
type visit struct {
	ctx      context.Context
	cancel   context.CancelFunc
	done     chan struct{}
	response *response // once done is closed; nil: there is none
}

// admitVisit makes a visit that Close ends.
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
		v.response = &a
	}
}

func (v *visit) responded() bool {
	select {
	case <-v.done:
		return v.response != nil
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

// toHTTP returns a as the client that sent r would receive it.
func (a *response) toHTTP(r *http.Request) (*http.Response, error) {
	if a.reset {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	}
	b, unzipped := a.received(r)
	resp := &http.Response{
		Status:        strconv.Itoa(a.code()) + " " + http.StatusText(a.code()),
		StatusCode:    a.code(),
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        b.header.Clone(),
		Body:          b.reader(r.Context()),
		ContentLength: int64(len(b.body)),
		Uncompressed:  unzipped,
		Request:       r,
	}
	if b.chunked {
		resp.ContentLength = -1
		resp.TransferEncoding = []string{"chunked"}
	} else {
		resp.Header.Set("Content-Length", strconv.Itoa(len(b.body)))
	}
	return resp, nil
}

// received returns a as it passes through an http.Transport, and whether that
// decompressed it, as it does if it was the one to ask for compression.
func (a *response) received(r *http.Request) (b response, unzipped bool) {
	b = *a
	if !hasBody(a.code()) {
		b.body = ""
	}
	unzipped = a.gzip && r.Header.Get("Accept-Encoding") == "" && r.Header.Get("Range") == ""
	switch {
	case unzipped:
		b.chunked = true // the length is that of the compressed body
	case a.gzip:
		b = b.zipped()
	}
	return b, unzipped
}

// reader returns the body of a, to be read under ctx.
func (a *response) reader(ctx context.Context) io.ReadCloser {
	if a.body == "" && !(a.truncate && a.chunked) {
		return http.NoBody
	}
	first, rest := a.halves()
	b := &responseBody{first: strings.NewReader(first), rest: strings.NewReader(rest), pause: a.pause, truncate: a.truncate}
	b.request = ctx
	b.ctx, b.cancel = context.WithCancel(ctx)
	return b
}

// responseBody is the body of a response in process.
type responseBody struct {
	request     context.Context
	ctx         context.Context // of the request, ended by Close
	cancel      context.CancelFunc
	first, rest *strings.Reader
	pause       time.Duration // between them; 0 once it has passed
	truncate    bool
}

func (b *responseBody) Read(p []byte) (int, error) {
	if b.ctx.Err() == nil && b.first.Len() > 0 {
		return b.first.Read(p)
	}
	if !sleep(b.ctx, b.pause) {
		return 0, b.broken()
	}
	b.pause = 0
	if n, err := b.rest.Read(p); err == nil || !b.truncate {
		return n, err
	}
	return 0, io.ErrUnexpectedEOF
}

func (b *responseBody) broken() error {
	if err := b.request.Err(); err != nil {
		return err
	}
	return http.ErrBodyReadAfterClose
}

func (b *responseBody) Close() error {
	b.cancel()
	return nil
}
