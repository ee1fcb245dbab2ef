package transport

import (
	"context"
	"net/http"
	"runtime"
	"testing"
	"weak"

	"golang.org/x/oauth2"
)

type shortLived struct{ token string }

func (s *shortLived) Token() (*oauth2.Token, error) { return &oauth2.Token{AccessToken: s.token}, nil }

// A source that is not in use is not kept.
func TestNoStateOfSourcesRemains(t *testing.T) {
	rt := Signer{ApplicationKey: "KEY", ApplicationSecret: "s"}.Wrap(Func(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}))
	var sources []weak.Pointer[shortLived]
	for range 1000 {
		ts := &shortLived{"token"}
		sources = append(sources, weak.Make(ts))
		ctx, cancel := context.WithCancel(WithTokenSource(t.Context(), ts))
		r, _ := http.NewRequestWithContext(ctx, "GET", "https://api.ok.ru/fb.do?method=users.getInfo", nil)
		if _, err := rt.RoundTrip(r); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	tokenRequests.Lock()
	if n := len(tokenRequests.running); n != 0 {
		t.Errorf("%d requests are running", n)
	}
	tokenRequests.Unlock()
	runtime.GC()
	runtime.GC()
	kept := 0
	for _, p := range sources {
		if p.Value() != nil {
			kept++
		}
	}
	if kept > 10 {
		t.Errorf("%d of %d sources are kept", kept, len(sources))
	}
}
