package main

import (
	"net/http"
	"strings"
)

// A toFake sends the requests for OK to the fake of another process. A program
// that calls the real OK needs none: its Base and HTTPClient are nil.
type toFake struct{ address string } // such as http://127.0.0.1:34567

// RoundTrip implements [http.RoundTripper].
func (t toFake) RoundTrip(r *http.Request) (*http.Response, error) {
	own := r.Clone(r.Context())
	own.URL.Scheme, own.URL.Host = "http", strings.TrimPrefix(t.address, "http://")
	resp, err := http.DefaultTransport.RoundTrip(own)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}
