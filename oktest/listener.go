package oktest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// network is the listeners of a Server and the connections to them.
type network struct {
	mu       sync.Mutex
	servers  []*http.Server
	plain    net.Listener
	secured  net.Listener
	roots    *x509.CertPool  // of the certificate of secured
	http1    *http.Transport // nil: not used yet
	http2    *http.Transport
	accepted int
	open     sync.WaitGroup  // for listeners and connections
	ctx      context.Context // of all requests; nil before the first listener
	cancel   context.CancelFunc
	closed   bool
}

// URL returns the URL of the fake in plain http, such as
// "http://127.0.0.1:34567", without a slash at the end. It serves the paths of
// both api.ok.ru and connect.ok.ru: a client in another language, a browser or
// curl can use it. It opens a listener on the loopback interface at the first
// call, and panics if it cannot.
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

// serve opens a listener, for TLS if config is set. The caller has locked n.mu.
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
	// A connection of HTTP/2 ends before the handlers of its streams do.
	waited := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.open.Add(1)
		defer n.open.Done()
		handler.ServeHTTP(w, r)
	})
	server := &http.Server{
		Handler:           waited,
		BaseContext:       func(net.Listener) context.Context { return n.ctx },
		ReadHeaderTimeout: time.Minute,
		ConnState:         n.count,
		TLSConfig:         config,
		Protocols:         new(http.Protocols),
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(true)
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
	servers, transports, cancel := n.servers, []*http.Transport{n.http1, n.http2}, n.cancel
	n.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	for _, server := range servers {
		_ = server.Close()
	}
	for _, transport := range transports {
		if transport != nil {
			transport.CloseIdleConnections()
		}
	}
	n.open.Wait()
}

// Transport returns a RoundTripper that reaches the fake under the real URLs
// https://api.ok.ru and https://connect.ok.ru, and the upload host, over TLS on
// the loopback interface. Nothing leaves the machine: any other host or port,
// and plain http, is rejected with an error before anything is dialed. Such an
// error has a method Terminal() bool that returns true.
//
// Every call returns the same RoundTripper, so that all users share its
// connections, which speak HTTP/1.1. It is an [*http.Transport], and it may be
// cloned to change something. It opens a listener at the first call, and
// panics if it cannot. It is safe for concurrent use by multiple goroutines.
func (s *Server) Transport() http.RoundTripper {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if s.net.http1 == nil {
		s.net.http1 = s.newTransport((*http.Protocols).SetHTTP1)
	}
	return s.net.http1
}

// HTTP2 is like [Server.Transport], but its connections speak HTTP/2. A fault
// that breaks the connection resets the stream of the request instead, by
// RST_STREAM: other requests share the connection. A response with the header
// "Connection: close" makes the server send GOAWAY.
func (s *Server) HTTP2() http.RoundTripper {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if s.net.http2 == nil {
		s.net.http2 = s.newTransport((*http.Protocols).SetHTTP2)
	}
	return s.net.http2
}

// newTransport opens the listener if there is none. enable chooses the
// protocol. The caller has locked s.net.mu.
func (s *Server) newTransport(enable func(*http.Protocols, bool)) *http.Transport {
	n := &s.net
	if n.secured == nil {
		certificate, roots := newCertificate(realHosts...)
		n.secured = n.serve(s.Handler(), &tls.Config{Certificates: []tls.Certificate{certificate}})
		n.roots = roots
	}
	to := n.secured.Addr().String()
	protocols := new(http.Protocols)
	enable(protocols, true)
	var dialer net.Dialer
	return &http.Transport{
		// A Transport calls the proxy function first for a request, and
		// sends nothing if it fails.
		Proxy: func(r *http.Request) (*url.URL, error) { return nil, n.rejection(r.URL) },
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, to)
		},
		TLSClientConfig:     &tls.Config{RootCAs: n.roots},
		Protocols:           protocols,
		MaxIdleConnsPerHost: 128,
	}
}

func (n *network) rejection(u *url.URL) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return errClosed
	}
	return foreign(u)
}

// foreign returns why a request must not be sent to u, or nil.
func foreign(u *url.URL) error {
	host := slices.Contains(realHosts, strings.ToLower(u.Hostname()))
	port := u.Port() == "" || u.Port() == "443"
	switch {
	case host && port && u.Scheme == "https":
		return nil
	case host && port:
		return localError("okru: oktest: " + u.Scheme + "://" + u.Host + " is rejected: OK is reached by https only")
	default:
		return localError("okru: oktest: " + u.Host + " is rejected: only https://" + apiHost + " and https://" + connectHost + " lead to the fake")
	}
}

// localError is an error that prevents a request from being sent.
type localError string

const errClosed localError = "okru: oktest: the server is closed"

func (e localError) Error() string { return string(e) }

// Terminal reports that repeating the request does not help.
func (localError) Terminal() bool { return true }

// newCertificate returns a certificate for hosts and the pool of the authority
// that signed it, which no other client trusts and whose key is discarded.
func newCertificate(hosts ...string) (tls.Certificate, *x509.CertPool) {
	authority := unsignedCertificate(1, "oktest authority")
	authority.IsCA = true
	authority.KeyUsage = x509.KeyUsageCertSign
	authorityKey, key := newKey(), newKey()
	root := sign(authority, authority, authorityKey, authorityKey)
	pool := x509.NewCertPool()
	pool.AddCert(root)

	leaf := unsignedCertificate(2, hosts[0])
	leaf.DNSNames = hosts
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	signed := sign(leaf, root, key, authorityKey)
	return tls.Certificate{Certificate: [][]byte{signed.Raw}, PrivateKey: key}, pool
}

// unsignedCertificate returns what all certificates have in common. They are valid in the
// time of a synctest bubble, too, which begins in 2000.
func unsignedCertificate(serial int64, name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(serial),
		Subject:               pkix.Name{CommonName: name, Organization: []string{"oktest"}},
		NotBefore:             time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:              time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		BasicConstraintsValid: true,
	}
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("okru: oktest: cannot make a key: " + err.Error())
	}
	return key
}

func sign(c, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) *x509.Certificate {
	raw, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		panic("okru: oktest: cannot make a certificate: " + err.Error())
	}
	signed, err := x509.ParseCertificate(raw)
	if err != nil {
		panic("okru: oktest: cannot make a certificate: " + err.Error())
	}
	return signed
}

// reset ends the connection of w without a response, by a TCP reset if it is
// one over TCP, as a server that crashes does.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2, or no connection at all
		panic(http.ErrAbortHandler)
	}
	// Closing the connection below TLS prevents a close_notify.
	if secured, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secured.NetConn()
	}
	if tcp, ok := conn.(interface{ SetLinger(sec int) error }); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
