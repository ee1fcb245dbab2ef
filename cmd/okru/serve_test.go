package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A page whose name was rebound to this machine sends its own name, with the
// right port.
func TestOwnHost(t *testing.T) {
	listener, err := listenLoopback(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	handler := ownHost(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	for host, allowed := range map[string]bool{
		"127.0.0.1:" + port:              true,
		"localhost:" + port:              true,
		"LOCALHOST:" + port:              true,
		"[::1]:" + port:                  true,
		"evil.example:" + port:           false,
		"localhost.evil.example:" + port: false,
		"127.0.0.1.nip.io:" + port:       false,
		"192.0.2.1:" + port:              false,
		"127.0.0.1:1":                    false,
		"127.0.0.1":                      false, // port 80
		"":                               false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if (w.Code == http.StatusTeapot) != allowed {
			t.Errorf("Host %q: status %d, and it is allowed: %t", host, w.Code, allowed)
		}
	}
}
