package main

import (
	"crypto/rand"
	"crypto/rsa"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/bradleyfalzon/ghinstallation/v2"

	"github.com/go-okru/okru/rttest"
)

// githubLimits are the responses by which GitHub limits.
var githubLimits = []rttest.Response{
	{
		Status: http.StatusForbidden,
		Header: http.Header{"Retry-After": {"1"}, "Content-Type": {"application/json"}},
		Body:   `{"message":"You have exceeded a secondary rate limit","documentation_url":"https://docs.github.com/rest/overview/resources-in-the-rest-api#secondary-rate-limits"}`,
	},
}

var installationKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// installation sends its requests for tokens by the RoundTripper that it wraps,
// so there is one between that answers them.
func installation(next http.RoundTripper) http.RoundTripper {
	app := ghinstallation.NewAppsTransportFromPrivateKey(tokenEndpoint{next}, 1, installationKey())
	return ghinstallation.NewFromAppsTransport(app, 99)
}

// tokenEndpoint is the part of GitHub that hands out tokens.
type tokenEndpoint struct{ next http.RoundTripper }

func (e tokenEndpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL == nil || !strings.HasSuffix(r.URL.Path, "/access_tokens") {
		return e.next.RoundTrip(r)
	}
	if r.Body != nil {
		r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body := `{"token":"token","expires_at":"2100-01-01T00:00:00Z"}`
	return &http.Response{
		Status: "201 Created", StatusCode: http.StatusCreated, Header: make(http.Header),
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

func (e tokenEndpoint) Unwrap() http.RoundTripper { return e.next }

func (e tokenEndpoint) CloseIdleConnections() {
	client := http.Client{Transport: e.next}
	client.CloseIdleConnections()
}
