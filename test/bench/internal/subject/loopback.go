package subject

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// A Protocol is how a Server is called.
type Protocol string

// The protocols.
const (
	Plain  Protocol = "HTTP/1.1"
	HTTP1S Protocol = "HTTP/1.1 over TLS"
	HTTP2  Protocol = "HTTP/2 over TLS"
)

// A Server responds to calls on a loopback port, in this process.
type Server struct{ server *httptest.Server }

// Listen starts a Server, which responds as [Memory] does.
func Listen(p Protocol) *Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(answer))
	s.EnableHTTP2 = p == HTTP2
	if p == Plain {
		s.Start()
	} else {
		s.StartTLS()
	}
	return &Server{s}
}

func answer(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Type"] = jsonHeader["Content-Type"]
	_, _ = io.WriteString(w, Answer)
}

// Target is the server as a target. All subjects share its connections.
func (s *Server) Target() Target {
	scheme, host, _ := strings.Cut(s.server.URL, "://")
	return target(s.server.Client().Transport, scheme, host)
}

// Close ends the server and all connections to it.
func (s *Server) Close() { s.server.Close() }

// Signed returns t with the URL that our stack sends for that of t, so that a
// bare client sends the same bytes.
func Signed(t Target) (Target, error) {
	sent := new(recorder)
	probe := t
	probe.Base = sent
	call, err := Named(Stack, probe)
	if err != nil {
		return Target{}, err
	}
	err = call(io.Discard)
	t.URL = sent.url
	return t, err
}

// A recorder responds from memory and keeps the URL of a request.
type recorder struct{ url string }

// RoundTrip implements [http.RoundTripper].
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.url = req.URL.String()
	return Memory{}.RoundTrip(req)
}
