package chaos

import (
	"context"
	"net/http"
)

// elsewhereHost is not a host of the API, but callers fetch from it with the
// same client, as programs do with pictures.
const elsewhereHost = "pictures.example"

// An elsewhere is a network that has elsewhereHost as well. That host asks
// everybody to wait for centuries.
type elsewhere struct{ *http.Transport }

// RoundTrip implements [http.RoundTripper].
func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != elsewhereHost {
		return e.Transport.RoundTrip(r)
	}
	header := http.Header{"Retry-After": {"99999999999"}}
	return &http.Response{StatusCode: http.StatusTooManyRequests, Header: header, Body: http.NoBody, Request: r}, nil
}

// visit fetches from elsewhereHost, with the session of a call.
func (s *soak) visit(ctx context.Context, c *call) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+elsewhereHost+"/", nil)
	if err != nil {
		panic("chaos: " + err.Error()) // the URL is wrong
	}
	resp, err := c.process.client.Do(r)
	if err != nil {
		s.witness.readError("visit", err)
		return
	}
	resp.Body.Close()
}
