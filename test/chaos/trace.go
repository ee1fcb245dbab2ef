package chaos

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http/httptrace"
	"net/textproto"
	"sync/atomic"

	"github.com/go-okru/okru/transport"
)

// A stage is how far the last attempt of a call got.
type stage struct{ atomic.Int32 }

const (
	queued     int32 = iota // it waits for the limiter or for a session
	connecting              // it waits for a connection
	sending                 // it waits for the response
	responded               // it has the header, and reads the body or waits to be repeated
)

func (s *stage) reach(stage int32) { s.Store(stage) }

func (s *stage) String() string {
	return [...]string{"before the first attempt", "while connecting", "without a response", "after a response"}[s.Load()]
}

// traced returns a context all of whose events go to w, and that notes how far
// a call gets.
func traced(ctx context.Context, w *witness, at *stage) context.Context {
	see := func(event string, values ...any) {
		w.read("trace, "+event, fmt.Sprintf("%s: %+v", event, values))
	}
	ctx = transport.WithTrace(ctx, &transport.Trace{
		Limited: func(i transport.LimitedInfo) { see("Limited", i) },
		Attempt: func(i transport.AttemptInfo) { see("Attempt", i) },
		Renewed: func(i transport.RenewedInfo) { see("Renewed", i) },
		Done:    func(i transport.DoneInfo) { see("Done", i) },
	})
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(hostPort string) {
			at.reach(connecting)
			see("GetConn", hostPort)
		},
		GotConn: func(i httptrace.GotConnInfo) {
			at.reach(sending)
			see("GotConn", i.Conn.LocalAddr(), i.Reused, i.WasIdle, i.IdleTime)
		},
		PutIdleConn: func(err error) { see("PutIdleConn", err) },
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			see("Got1xxResponse", code, header)
			return nil
		},
		DNSStart:         func(i httptrace.DNSStartInfo) { see("DNSStart", i) },
		DNSDone:          func(i httptrace.DNSDoneInfo) { see("DNSDone", i) },
		ConnectStart:     func(network, address string) { see("ConnectStart", network, address) },
		ConnectDone:      func(network, address string, err error) { see("ConnectDone", network, address, err) },
		TLSHandshakeDone: func(s tls.ConnectionState, err error) { see("TLSHandshakeDone", s.ServerName, s.Version, err) },
		WroteHeaderField: func(key string, values []string) { see("WroteHeaderField", key, values) },
		WroteRequest:     func(i httptrace.WroteRequestInfo) { see("WroteRequest", i) },
		GotFirstResponseByte: func() {
			at.reach(responded)
			see("GotFirstResponseByte")
		},
	})
}
