package oktest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// network is the listeners of a Server and the connections to them.
type network struct {
	mu        sync.Mutex
	servers   []*http.Server
	plain     net.Listener
	secured   net.Listener
	transport *http.Transport
	accepted  int
	open      sync.WaitGroup  // for listeners and connections
	ctx       context.Context // of all requests; nil before the first listener
	cancel    context.CancelFunc
	closed    bool
}

// URL returns the URL of the fake in plain http, such as
// "http://127.0.0.1:34567", without a slash at the end. It serves the paths of
// both api.ok.ru and connect.ok.ru: a client in another language, a browser or
// curl can use it. It opens a listener on the loopback interface at the first
// call, and panics if there is none to open.
func (s *Server) URL() string {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if s.net.plain == nil {
		s.net.plain = s.net.serve(s.Handler(), nil)
	}
	return "http://" + s.net.plain.Addr().String()
}

// Connections returns how many connections the listeners have accepted.
func (s *Server) Connections() int {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	return s.net.accepted
}

// serve opens a listener, for TLS if config is set. The caller holds n.mu.
func (n *network) serve(handler http.Handler, config *tls.Config) net.Listener {
	if n.closed {
		panic("okru: oktest: the server is closed")
	}
	listener, err := listen()
	if err != nil {
		panic("okru: oktest: cannot listen on the loopback interface: " + err.Error())
	}
	if n.ctx == nil {
		n.ctx, n.cancel = context.WithCancel(context.Background())
	}
	server := &http.Server{
		Handler:           handler,
		BaseContext:       func(net.Listener) context.Context { return n.ctx },
		ReadHeaderTimeout: time.Minute,
		ConnState:         n.count,
		TLSConfig:         config,
		Protocols:         new(http.Protocols),
	}
	server.Protocols.SetHTTP1(true) // a reset is one of TCP, so that HTTP/2 would have to share it
	n.servers = append(n.servers, server)
	n.open.Go(func() {
		if config == nil {
			_ = server.Serve(listener)
		} else {
			_ = server.ServeTLS(listener, "", "")
		}
	})
	return listener
}

func listen() (net.Listener, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err == nil {
		return listener, nil
	}
	listener6, err6 := net.Listen("tcp6", "[::1]:0")
	if err6 == nil {
		return listener6, nil
	}
	return nil, errors.Join(err, err6)
}

// count follows the connections of a listener.
func (n *network) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		n.open.Add(1)
		n.mu.Lock()
		n.accepted++
		n.mu.Unlock()
	case http.StateHijacked, http.StateClosed:
		n.open.Done()
	}
}

func (n *network) close() {
	n.mu.Lock()
	n.closed = true
	servers, transport, cancel := n.servers, n.transport, n.cancel
	n.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	for _, server := range servers {
		_ = server.Close()
	}
	if transport != nil {
		transport.CloseIdleConnections()
	}
	n.open.Wait()
}
