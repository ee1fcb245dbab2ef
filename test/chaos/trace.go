package chaos

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http/httptrace"
	"net/textproto"
)

// traced returns a context all of whose events go to w.
func traced(ctx context.Context, w *witness) context.Context {
	see := func(event string, values ...any) {
		w.read("httptrace "+event, fmt.Sprintf("%s: %+v", event, values))
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:     func(hostPort string) { see("GetConn", hostPort) },
		GotConn:     func(i httptrace.GotConnInfo) { see("GotConn", i.Conn.LocalAddr(), i.Reused, i.WasIdle, i.IdleTime) },
		PutIdleConn: func(err error) { see("PutIdleConn", err) },
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			see("Got1xxResponse", code, header)
			return nil
		},
		DNSStart:             func(i httptrace.DNSStartInfo) { see("DNSStart", i) },
		DNSDone:              func(i httptrace.DNSDoneInfo) { see("DNSDone", i) },
		ConnectStart:         func(network, address string) { see("ConnectStart", network, address) },
		ConnectDone:          func(network, address string, err error) { see("ConnectDone", network, address, err) },
		TLSHandshakeDone:     func(s tls.ConnectionState, err error) { see("TLSHandshakeDone", s.ServerName, s.Version, err) },
		WroteHeaderField:     func(key string, values []string) { see("WroteHeaderField", key, values) },
		WroteRequest:         func(i httptrace.WroteRequestInfo) { see("WroteRequest", i) },
		GotFirstResponseByte: func() { see("GotFirstResponseByte") },
	})
}
