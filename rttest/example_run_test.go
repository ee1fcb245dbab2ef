package rttest_test

import (
	"net/http"
	"testing"

	"github.com/go-okru/okru/rttest"
)

// agent sets a header as a layer should: in a copy.
type agent struct{ next http.RoundTripper }

func (a agent) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := *r // not r.Clone, which copies Trailer too early
	sent.Header = r.Header.Clone()
	if sent.Header == nil {
		sent.Header = make(http.Header)
	}
	sent.Header.Set("User-Agent", "example")
	resp, err := a.next.RoundTrip(&sent)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

func (a agent) Unwrap() http.RoundTripper { return a.next }

func (a agent) CloseIdleConnections() {
	if c, ok := a.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func agentContract(t *testing.T) { // TestContract, where it is at home
	rttest.Run(t, rttest.Kit{
		Wrap: func(next http.RoundTripper) http.RoundTripper { return agent{next} },
	})
}

// A layer that keeps the contract, and its test.
func ExampleRun() {
	_ = agentContract
}
