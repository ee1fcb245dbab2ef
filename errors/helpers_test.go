package okerrors_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/transport"
)

// always responds to every request with body.
func always(body string) transport.Func {
	return func(r *http.Request) (*http.Response, error) {
		resp := respond(body)
		resp.Request = r
		return resp, nil
	}
}

// respond returns a response with body.
func respond(body string) *http.Response { return respondFrom(&source{chunks: []string{body}}) }

func respondFrom(body io.ReadCloser) *http.Response {
	return &http.Response{StatusCode: 200, Header: make(http.Header), Body: body, ContentLength: -1}
}

// source is a body that arrives in chunks, one for each Read, and ends with
// err, or io.EOF if that is nil. It counts what happens to it.
type source struct {
	chunks   []string
	err      error
	together bool // err comes with the last bytes

	reads, closes int
}

var errClosed = errors.New("read after close")

func (s *source) Read(p []byte) (n int, err error) {
	s.reads++
	if s.closes > 0 {
		return 0, errClosed
	}
	if len(s.chunks) > 0 {
		n = copy(p, s.chunks[0])
		if s.chunks[0] = s.chunks[0][n:]; s.chunks[0] == "" {
			s.chunks = s.chunks[1:]
		}
		if len(s.chunks) > 0 || !s.together {
			return n, nil
		}
	}
	if s.err == nil {
		return n, io.EOF
	}
	return n, s.err
}

func (s *source) Close() error {
	s.closes++
	return nil
}

// stall is a body that must not be read beyond what it has.
func stall(t *testing.T, chunks ...string) io.ReadCloser {
	return &stalled{source{chunks: chunks}, t}
}

type stalled struct {
	source
	t *testing.T
}

func (s *stalled) Read(p []byte) (int, error) {
	if len(s.chunks) == 0 {
		s.t.Errorf("read beyond what decides")
	}
	return s.source.Read(p)
}

// bytewise splits text into chunks of one byte.
func bytewise(text string) (list []string) {
	for i := range len(text) {
		list = append(list, text[i:i+1])
	}
	return list
}

// mustError returns the API error in resp.
func mustError(t *testing.T, resp *http.Response) *okerrors.Error {
	t.Helper()
	e, ok := okerrors.FromResponse(resp)
	if !ok || e == nil {
		t.Fatalf("FromResponse = %v, %v; want an error", e, ok)
	}
	return e
}

// mustPass fails if resp is an API error.
func mustPass(t *testing.T, resp *http.Response) {
	t.Helper()
	if e, ok := okerrors.FromResponse(resp); ok || e != nil {
		t.Errorf("FromResponse = %v, %v; want none", e, ok)
	}
}

func mustRead(t *testing.T, resp *http.Response, want string) {
	t.Helper()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("reading the body: %v", err)
	}
	if string(got) != want {
		t.Errorf("body reads %.80q (%d bytes), want %.80q (%d bytes)", got, len(got), want, len(want))
	}
}

// to returns a Transport that connects to server, whatever the host of the URL.
func to(t *testing.T, server *httptest.Server) http.RoundTripper {
	tr := server.Client().Transport.(*http.Transport)
	tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}
