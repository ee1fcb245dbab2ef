package oktest

import (
	"net"
	"net/http"
)

// reset ends the connection of w without an answer, by a TCP reset if it is
// one over TCP, as a server does that dies.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2, or no connection at all
		panic(http.ErrAbortHandler)
	}
	// Closing the connection below TLS keeps TLS from saying goodbye first.
	if secured, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secured.NetConn()
	}
	if tcp, ok := conn.(interface{ SetLinger(sec int) error }); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
