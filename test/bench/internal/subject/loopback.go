package subject

import (
	"errors"
	"io"
	"net"
	"net/http"
)

// A Server answers calls over plain HTTP, in this process.
type Server struct {
	server http.Server
	addr   string
	base   *http.Transport
	served chan struct{} // closed when the server has ended
}

// Listen starts a Server on a loopback port, which answers as [Memory] does.
func Listen() (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{
		server: http.Server{Handler: http.HandlerFunc(answer)},
		addr:   l.Addr().String(),
		base:   &http.Transport{},
		served: make(chan struct{}),
	}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(l)
	}()
	return s, nil
}

func answer(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Type"] = jsonHeader["Content-Type"]
	_, _ = io.WriteString(w, Answer)
}

// Target is the server as a target. All subjects share its connections.
func (s *Server) Target() Target { return target(s.base, "http", s.addr) }

// Close ends the server and all connections to it.
func (s *Server) Close() error {
	s.base.CloseIdleConnections()
	err := s.server.Close()
	<-s.served
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
