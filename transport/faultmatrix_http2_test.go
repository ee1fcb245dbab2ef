package transport_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/transport"
)

// Types, flags and error codes of HTTP/2 frames: RFC 9113, sections 6 and 7.
const (
	frameData, frameHeaders, frameReset, frameSettings, framePing, frameGoAway = 0, 1, 3, 4, 6, 7
	flagEndStream, flagAck, flagEndHeaders                                     = 1, 1, 4
	internalError, refusedStream, enhanceYourCalm, http11Required              = 2, 7, 11, 13
	maxFrame                                                                   = 1 << 14
)

// A frameServer speaks HTTP/2 frame by frame, to fail in ways that net/http's
// server cannot. It runs a request when it has received all of it.
type frameServer struct {
	fault func(c *frameConn, stream uint32) (handled bool) // called with the whole request
	early func(c *frameConn, stream uint32) (handled bool) // called with the header
	left  atomic.Int32                                     // how often they are called yet
	runs  atomic.Int32
}

// A frameConn is a connection of a frameServer.
type frameConn struct {
	net.Conn
	ended map[uint32]bool // streams that early has handled
}

func (c *frameConn) write(kind, flags byte, stream uint32, payload []byte) {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	head = append(head, flags)
	head = binary.BigEndian.AppendUint32(head, stream)
	_, _ = c.Write(append(head, payload...))
}

func (c *frameConn) reset(stream, code uint32) {
	c.write(frameReset, 0, stream, binary.BigEndian.AppendUint32(nil, code))
}

// goAway promises that no stream after last was or will be processed.
func (c *frameConn) goAway(last, code uint32) {
	c.write(frameGoAway, 0, 0, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, last), code))
}

// respond sends ":status: 200", the text true, and a trailer.
func (c *frameConn) respond(stream uint32) {
	c.write(frameHeaders, flagEndHeaders, stream, []byte{0x88})
	c.write(frameData, 0, stream, []byte("true"))
	c.write(frameHeaders, flagEndHeaders|flagEndStream, stream, []byte("\x00\x07x-trail\x03end"))
}

func (s *frameServer) serve(c *frameConn) {
	defer c.Close()
	if _, err := io.ReadFull(c, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return
	}
	c.write(frameSettings, 0, 0, nil)
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		size := binary.BigEndian.Uint32(head) >> 8
		stream := binary.BigEndian.Uint32(head[5:]) & (1<<31 - 1)
		if size > maxFrame {
			return
		}
		if _, err := io.CopyN(io.Discard, c, int64(size)); err != nil {
			return
		}
		switch kind, flags := head[3], head[4]; {
		case kind == frameSettings && flags&flagAck == 0:
			c.write(frameSettings, flagAck, 0, nil)
		case kind == framePing && flags&flagAck == 0:
			c.write(framePing, flagAck, 0, make([]byte, 8))
		case kind == frameHeaders || kind == frameData:
			s.receive(c, stream, kind == frameHeaders, flags&flagEndStream != 0)
		}
	}
}

func (s *frameServer) receive(c *frameConn, stream uint32, isHeader, isEnd bool) {
	if isHeader && s.early != nil && s.left.Add(-1) >= 0 {
		c.ended[stream] = s.early(c, stream)
	}
	if c.ended[stream] || !isEnd {
		return
	}
	s.runs.Add(1)
	if s.fault != nil && s.left.Add(-1) >= 0 && s.fault(c, stream) {
		return
	}
	c.respond(stream)
}

// start returns a transport that reaches s under every https URL.
func (s *frameServer) start(t *testing.T) *http.Transport {
	t.Helper()
	unused := httptest.NewUnstartedServer(nil)
	unused.EnableHTTP2 = true
	unused.StartTLS() // for its certificate
	t.Cleanup(unused.Close)
	l, err := tls.Listen("tcp", "127.0.0.1:0", unused.TLS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(&frameConn{c, make(map[uint32]bool)})
		}
	}()
	base := dialTo(unused)
	base.ForceAttemptHTTP2 = true
	dial := net.Dialer{}
	base.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dial.DialContext(ctx, network, l.Addr().String())
	}
	t.Cleanup(base.CloseIdleConnections)
	return base
}

// Faults of HTTP/2 that go away: a write runs at most once, and succeeds if it
// can; a read succeeds. An error of a write that ran matches ErrOutcomeUnknown.
func TestHTTP2Faults(t *testing.T) {
	type hook = func(*frameConn, uint32) bool
	end := func(c *frameConn) bool { c.Close(); return true }
	for _, test := range []struct {
		name         string
		early, fault hook
		lost         string // the ways to write that fail, though the write did not run
	}{
		{name: "none"},
		{name: "REFUSED_STREAM", early: func(c *frameConn, s uint32) bool { c.reset(s, refusedStream); return true }, lost: "GET, multipart"},
		{name: "GOAWAY before", early: func(c *frameConn, s uint32) bool { c.goAway(0, 0); return end(c) }, lost: "GET, multipart"},
		{name: "RST_STREAM after", fault: func(c *frameConn, s uint32) bool { c.reset(s, internalError); return true }},
		{name: "ENHANCE_YOUR_CALM after", fault: func(c *frameConn, s uint32) bool { c.reset(s, enhanceYourCalm); return true }},
		{name: "HTTP_1_1_REQUIRED after", fault: func(c *frameConn, s uint32) bool { c.reset(s, http11Required); return true }},
		{name: "GOAWAY after", fault: func(c *frameConn, s uint32) bool { c.goAway(s, internalError); return end(c) }},
		{name: "closed after", fault: func(c *frameConn, _ uint32) bool { return end(c) }},
		{name: "graceful GOAWAY and response", fault: func(c *frameConn, s uint32) bool { c.goAway(s, 0); return false }},
	} {
		for _, kind := range []struct {
			name   string
			method string
			verb   string
		}{
			{"read GET", "users.getInfo", "GET"}, {"read POST", "users.getInfo", "POST"},
			{"write GET", "users.setStatus", "GET"}, {"write POST", "users.setStatus", "POST"},
			{"write multipart", "photos.upload", "multipart"}, {"write with a key", "users.setStatus", "POST with key"},
		} {
			server := &frameServer{early: test.early, fault: test.fault}
			rt := transport.Chain(server.start(t), quick.Wrap, signer().Wrap)
			warm, err := rt.RoundTrip(newGet(t, t.Context(), readURL)) // a kept connection can be replayed on
			if err != nil {
				t.Fatal(err)
			}
			finish(t, warm)
			server.runs.Store(0)
			server.left.Store(1)
			resp, err := rt.RoundTrip(ofKind(t, kind.verb, kind.method))
			runs := server.runs.Load()
			isWrite := strings.HasPrefix(kind.name, "write")
			ran := test.fault != nil && test.name != "graceful GOAWAY and response"
			isLost := isWrite && test.lost != "" && (strings.Contains(test.lost, kind.verb) || strings.Contains(kind.verb, "key"))
			switch wantErr := isWrite && ran || isLost; {
			case (err != nil) != wantErr:
				t.Errorf("%s, %s: %v after %d runs", test.name, kind.name, err, runs)
			case isWrite && runs > 1:
				t.Errorf("%s, %s: ran %d times", test.name, kind.name, runs)
			case err != nil && runs > 0 && !errors.Is(err, okerrors.ErrOutcomeUnknown):
				t.Errorf("%s, %s: ran, and the error is %v", test.name, kind.name, err)
			case isLost && !strings.Contains(err.Error(), "send writes by POST"):
				t.Errorf("%s, %s: %v says not what to do", test.name, kind.name, err)
			}
			if err == nil {
				if got := finish(t, resp); got != "true" || resp.Trailer.Get("X-Trail") != "end" {
					t.Errorf("%s, %s: %q, trailers %v", test.name, kind.name, got, resp.Trailer)
				}
			}
		}
	}
}

// ofKind returns a call by a verb, or by one of two ways to POST.
func ofKind(t *testing.T, verb, method string) *http.Request {
	const api = "https://api.ok.ru/fb.do"
	switch verb {
	case "GET":
		return request(t.Context(), "GET", api+"?method="+method, "")
	case "multipart":
		r := request(t.Context(), "POST", api+"?method="+method, "--x\r\n\r\nphoto\r\n--x--")
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		r.Body, r.GetBody = io.NopCloser(bytes.NewReader([]byte("--x\r\n\r\nphoto\r\n--x--"))), nil
		return r
	}
	r := request(t.Context(), "POST", api, "method="+method)
	if verb == "POST with key" {
		r.Header["Idempotency-Key"] = nil
	}
	return r
}

// A body that is longer than the window of its stream, 64 KiB, is held up after
// it was read in part: the attempt is late, and may run when the window opens.
func TestHTTP2ClosedWindow(t *testing.T) {
	for method, want := range map[string]int32{"users.getInfo": 4, "users.setStatus": 1} {
		base := new(frameServer).start(t)
		// The connection must be there: an attempt that is late before has not run.
		resp, err := signer().Wrap(base).RoundTrip(ofKind(t, "GET", "users.getInfo"))
		if err != nil {
			t.Fatal(err)
		}
		finish(t, resp)
		retry := transport.Retry{MinDelay: -1, AttemptTimeout: 100 * time.Millisecond}
		var n atomic.Int32
		r := request(t.Context(), "POST", "https://api.ok.ru/fb.do", "method="+method+"&text="+strings.Repeat("x", 128<<10))
		_, err = transport.Chain(base, retry.Wrap, signer().Wrap).RoundTrip(r.WithContext(transport.WithAttempts(r.Context(), &n)))
		if n.Load() != want || err == nil || errors.Is(err, okerrors.ErrOutcomeUnknown) != (want == 1) {
			t.Errorf("%s: %d attempts, want %d: %v", method, n.Load(), want, err)
		}
	}
}
