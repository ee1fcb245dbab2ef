package transport_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/token"
	"github.com/go-okru/okru/transport"
)

// inPlace is a source that has one token and changes it.
type inPlace struct {
	token oauth2.Token
	fresh *oauth2.Token
	stale []string // that Invalidate was called with
}

func (s *inPlace) Token() (*oauth2.Token, error) { return &s.token, nil }

func (s *inPlace) Invalidate(t *oauth2.Token) {
	s.stale = append(s.stale, t.AccessToken)
	if s.fresh != nil {
		s.token = *s.fresh
	}
}

// A token that was changed in place is another session, for the repeat and for
// the next call.
func TestTokenChangedInPlace(t *testing.T) {
	stale := token.New("token-0", "secret-0")
	for _, test := range []struct {
		name  string
		app   string
		fresh *oauth2.Token
		sent  string
	}{
		{"server circuit", "app-secret", token.New("token-1", ""), "token-0 token-1 token-1"},
		{"client circuit", "", token.New("token-1", "secret-1"), "token-0 token-1 token-1"},
		{"client circuit, new secret", "", token.New("token-0", "secret-1"), "token-0 token-0 token-0"},
		{"not changed", "app-secret", nil, "token-0 token-0"},
	} {
		source := &inPlace{token: *stale, fresh: test.fresh}
		var sent []string
		rt := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: test.app, TokenSource: source}.Wrap(transport.Func(
			func(r *http.Request) (*http.Response, error) {
				query := r.URL.Query()
				sent = append(sent, query.Get("access_token"))
				want := token.Secret(&source.token)
				if test.app != "" {
					want = transport.DeriveSecret(source.token.AccessToken, test.app)
				}
				if query.Get("sig") != naive(query, want) {
					t.Errorf("%s: call %d is signed with an old secret", test.name, len(sent))
				}
				text := "true"
				if len(sent) == 1 {
					text = apiError(102, "PARAM_SESSION_EXPIRED : Session expired")
				}
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
			}))
		for range 2 {
			if _, err := rt.RoundTrip(get("method=users.getInfo")); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Join(sent, " "); got != test.sent || strings.Join(source.stale, " ") != "token-0" {
			t.Errorf("%s: sent %s, want %s; Invalidate was called with %v", test.name, got, test.sent, source.stale)
		}
	}
}

// A source that renews between a call and its rejection is given the session of
// the call, not the new one.
func TestTokenChangedInPlaceMeanwhile(t *testing.T) {
	source := &inPlace{token: *token.New("token-0", "")}
	a := &api{responses: []string{apiError(102, "PARAM_SESSION_EXPIRED : Session expired"), "true"}}
	s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: source}
	_, err := s.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
		source.token = *token.New("token-1", "")
		return a.RoundTrip(r)
	})).RoundTrip(get("method=users.getInfo"))
	if err != nil || strings.Join(a.tokens, " ") != "token-0 token-1" || strings.Join(source.stale, " ") != "token-0" {
		t.Errorf("sent %v, Invalidate was called with %v, error %v", a.tokens, source.stale, err)
	}
}
