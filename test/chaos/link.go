package chaos

import (
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A link is a connection of a client to the proxy, and the one from there to
// the server.
type link struct {
	weather *weather
	client  net.Conn
	silent  atomic.Bool // half open: nothing passes any more

	mu     sync.Mutex
	server net.Conn // nil: not yet connected
	ended  chan struct{}
	over   bool // ended is closed
}

func newLink(w *weather, client net.Conn) *link {
	return &link{weather: w, client: client, ended: make(chan struct{})}
}

// join makes server the other end, unless the link has ended.
func (l *link) join(server net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		server.Close()
		return false
	}
	l.server = server
	return true
}

// run hands on data until one end closes or the weather cuts the link.
func (l *link) run() {
	var up sync.WaitGroup
	up.Go(func() { l.pump(l.server, l.client, l.upward) })
	l.pump(l.client, l.server, l.downward)
	up.Wait()
}

// pump copies from one end to the other, by way of pass, which may end it.
func (l *link) pump(to, from net.Conn, pass func(to net.Conn, piece []byte) bool) {
	defer l.cut()
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !l.silenced() && !pass(to, buffer[:n]) {
			return
		}
		if err != nil {
			return
		}
	}
}

// silenced reports whether nothing passes any more, both ways.
func (l *link) silenced() bool {
	if l.weather.strikes(silence) {
		l.silent.Store(true)
	}
	return l.silent.Load()
}

// upward passes what a client sent.
func (l *link) upward(server net.Conn, piece []byte) bool {
	if l.weather.strikes(resetBefore) {
		l.reset()
		return false
	}
	return l.send(server, piece)
}

// downward passes what the server sent. Whatever becomes of it, the request
// got through.
func (l *link) downward(client net.Conn, piece []byte) bool {
	switch {
	case l.weather.strikes(resetAfter):
		l.reset()
		return false
	case l.weather.strikes(truncation):
		l.send(client, piece[:len(piece)/2])
		return false
	}
	return l.send(client, piece)
}

// send writes piece at the pace of the weather.
func (l *link) send(to net.Conn, piece []byte) bool {
	size, pause := len(piece), time.Duration(0)
	switch {
	case l.weather.strikes(slicing):
		size, pause = 1+rand.IntN(len(piece)/8+1), time.Millisecond
	case l.weather.strikes(trickle):
		size, pause = 256, 25*time.Millisecond // 10 kB/s
	case l.weather.strikes(latency):
		pause = 20*time.Millisecond + rand.N(180*time.Millisecond)
	}
	for len(piece) > 0 {
		if !l.wait(pause) {
			return false
		}
		n := min(size, len(piece))
		if _, err := to.Write(piece[:n]); err != nil {
			return false
		}
		piece = piece[n:]
	}
	return true
}

// wait returns false if the link ends before d has passed.
func (l *link) wait(d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.ended:
		return false
	}
}

// cut closes both ends.
func (l *link) cut() { l.end(false) }

// reset closes both ends by a TCP reset.
func (l *link) reset() { l.end(true) }

func (l *link) end(abruptly bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	l.over = true
	close(l.ended)
	for _, conn := range []net.Conn{l.client, l.server} {
		if tcp, ok := conn.(interface{ SetLinger(int) error }); ok && abruptly {
			_ = tcp.SetLinger(0)
		}
		if conn != nil {
			conn.Close()
		}
	}
}
