package oauth_test

import (
	"net/http"
	"testing"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// A code is sent once, also if the RoundTripper panics after it was sent: the
// server may have used it.
func TestCodeIsNotSentAgainAfterAPanic(t *testing.T) {
	sent := 0
	base := transport.Func(func(r *http.Request) (*http.Response, error) {
		sent++
		r.Body.Close()
		panic("after the code was sent")
	})
	s := oauth.NewSource(oauth.Code{
		ClientID: "1", ClientSecret: "2", Code: "C", RedirectURL: "https://example.com/", HTTPClient: &http.Client{Transport: base},
	}, oauth.Options{CoolDown: -1})
	for range 3 {
		func() {
			defer func() { _ = recover() }()
			if _, err := s.Token(); err == nil {
				t.Error("a session without a response")
			}
		}()
	}
	if sent != 1 {
		t.Errorf("the code was sent %d times, want once", sent)
	}
}
