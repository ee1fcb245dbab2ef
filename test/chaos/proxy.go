package chaos

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// A proxy hands on connections and does to them what the weather wants. Each
// costs three goroutines, which end with it.
type proxy struct {
	weather  *weather
	upstream func(context.Context) (net.Conn, error)
	impostor *tls.Config // of a server that no client should trust

	mu       sync.Mutex
	address  string       // empty: not yet known
	listener net.Listener // nil: no terminal at home
	links    map[*link]struct{}
	running  sync.WaitGroup
}

func newProxy(w *weather, upstream func(context.Context) (net.Conn, error)) *proxy {
	return &proxy{weather: w, upstream: upstream, impostor: newImpostor(), links: make(map[*link]struct{})}
}

// open listens, at the same address as before.
func (p *proxy) open() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		return nil
	}
	address := p.address
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	p.listener, p.address = l, l.Addr().String()
	p.running.Go(func() { p.accept(l) })
	return nil
}

// reopen is open, but waits if the port is in use meanwhile as the near
// end of another connection.
func (p *proxy) reopen(patience time.Duration) error {
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		err := p.open()
		if err == nil || time.Since(begin) > patience {
			return err
		}
	}
}

// shut stops listening and cuts all connections, as a server that dies does.
func (p *proxy) shut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		p.listener.Close()
		p.listener = nil
	}
	p.resetLinks()
}

// cut cuts all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.resetLinks()
}

func (p *proxy) resetLinks() {
	for l := range p.links {
		l.reset()
	}
}

// close is shut, and waits until nothing runs any more.
func (p *proxy) close() {
	p.shut()
	p.running.Wait()
}

// count returns how many connections are open.
func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// dial connects to p.
func (p *proxy) dial(ctx context.Context) (net.Conn, error) {
	p.mu.Lock()
	address := p.address
	p.mu.Unlock()
	var d net.Dialer
	return d.DialContext(ctx, "tcp", address)
}

func (p *proxy) accept(from net.Listener) {
	for {
		conn, err := from.Accept()
		if err != nil {
			return
		}
		l := newLink(p.weather, conn)
		if !p.add(from, l) {
			l.reset()
			return
		}
		p.running.Go(func() {
			defer p.remove(l)
			p.serve(l)
		})
	}
}

// add registers l, unless the listener it came from was shut meanwhile.
func (p *proxy) add(from net.Listener, l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != from {
		return false
	}
	p.links[l] = struct{}{}
	return true
}

func (p *proxy) remove(l *link) {
	l.cut()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

func (p *proxy) serve(l *link) {
	switch {
	case p.weather.strikes(garbage):
		_, _ = l.client.Write([]byte("220 mail.example ESMTP, you have the wrong port\r\n"))
		return
	case p.weather.strikes(impostor):
		_ = l.client.SetDeadline(time.Now().Add(5 * time.Second))
		_ = tls.Server(l.client, p.impostor).Handshake()
		return
	}
	server, err := p.upstream(context.Background())
	if err == nil && l.join(server) {
		l.run()
	}
}
