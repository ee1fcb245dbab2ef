package oktest_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oktest"
)

const redirectURI = "https://example.com/callback"

// exchange asks the token endpoint as the right client does; later pairs
// override.
func exchange(t *testing.T, rt http.RoundTripper, pairs ...string) reply {
	t.Helper()
	params := values("client_id", app.ID, "client_secret", app.Secret)
	for name, value := range values(pairs...) {
		params[name] = value
	}
	return postTo(t, rt, realAPI+"/oauth/token.do", params)
}

type tokens struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    any    `json:"expires_in"`
	Error        string `json:"error"`
	Description  string `json:"error_description"`
}

func (r reply) tokens(t *testing.T) (got tokens) {
	t.Helper()
	if r.err != nil {
		t.Fatal(r.err)
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return got
}

func TestCodeThenRefresh(t *testing.T) {
	srv := newServer(t)
	anna := srv.NewUser("anna", "secret")
	code := anna.AuthCode(redirectURI+"?x=1", "VALUABLE_ACCESS")
	first := exchange(t, srv.InProcess(), "grant_type", "authorization_code", "code", code, "redirect_uri", redirectURI+"?y=2").tokens(t)
	if first.TokenType != "session" || first.ExpiresIn != "1800" || first.RefreshToken == "" {
		t.Errorf("got %+v", first)
	}
	if code := works(t, srv.InProcess(), &oauth2.Token{AccessToken: first.AccessToken}); code != 0 {
		t.Errorf("the session does not work: code %v", code)
	}
	second := exchange(t, srv.InProcess(), "grant_type", "refresh_token", "refresh_token", first.RefreshToken).tokens(t)
	if second.AccessToken == "" || second.AccessToken == first.AccessToken || second.RefreshToken != "" {
		t.Errorf("a refresh without rotation: got %+v", second)
	}

	srv.Configure(oktest.Settings{RotateRefresh: true, ExpiresIn: oktest.ExpiresNumber})
	third := exchange(t, srv.InProcess(), "grant_type", "refresh_token", "refresh_token", first.RefreshToken).tokens(t)
	if third.RefreshToken == "" || third.RefreshToken == first.RefreshToken || third.ExpiresIn != 1800.0 {
		t.Errorf("a refresh with rotation: got %+v", third)
	}
	again := exchange(t, srv.InProcess(), "grant_type", "refresh_token", "refresh_token", first.RefreshToken).tokens(t)
	if again.Error != "invalid_grant" {
		t.Errorf("the old refresh token after rotation: got %+v", again)
	}
	exchanges := srv.Exchanges()
	if len(exchanges) != 4 || !exchanges[0].Ran || exchanges[0].UserID != anna.ID() || exchanges[3].Ran || exchanges[3].Status != 400 {
		t.Errorf("the journal of exchanges: %v", exchanges)
	}
}

// A refresh token works for a while after its first refresh, however often it is
// used, and not longer than it would have lived.
func TestRefreshGrace(t *testing.T) {
	for _, test := range []struct {
		name                  string
		lifetime, grace, life time.Duration
	}{
		{"none", 0, 0, 0},
		{"a minute", 0, time.Minute, time.Minute},
		{"a minute, of a token that never expires", -1, time.Minute, time.Minute},
		{"a minute, of a token that expires before", 20 * time.Second, time.Minute, 20 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t)
				srv.Configure(oktest.Settings{RotateRefresh: true, RefreshGrace: test.grace, RefreshLifetime: test.lifetime})
				token := srv.NewUser("anna", "secret").Token().RefreshToken
				refresh := func() string {
					return exchange(t, srv.InProcess(), "grant_type", "refresh_token", "refresh_token", token).tokens(t).Error
				}
				if got := refresh(); got != "" {
					t.Fatalf("the first refresh: got %s", got)
				}
				srv.Configure(oktest.Settings{}) // the token was replaced all the same
				if test.life > 0 {
					for range 2 {
						time.Sleep(test.life/2 - time.Second)
						if got := refresh(); got != "" {
							t.Errorf("before the end: got %s", got)
						}
					}
					time.Sleep(time.Second)
					time.Sleep(time.Second)
				}
				if got := refresh(); got != "invalid_grant" {
					t.Errorf("after the end: got %q", got)
				}
			})
		})
	}
}

func TestExchangeRejected(t *testing.T) {
	srv := newServer(t)
	anna := srv.NewUser("anna", "secret")
	used := anna.AuthCode(redirectURI)
	exchange(t, srv.InProcess(), "grant_type", "authorization_code", "code", used, "redirect_uri", redirectURI)
	for name, test := range map[string]struct {
		pairs []string
		want  string
	}{
		"used code":             {[]string{"grant_type", "authorization_code", "code", used, "redirect_uri", redirectURI}, "invalid_grant"},
		"unknown code":          {[]string{"grant_type", "authorization_code", "code", "x", "redirect_uri", redirectURI}, "invalid_grant"},
		"other redirect_uri":    {[]string{"grant_type", "authorization_code", "code", anna.AuthCode(redirectURI), "redirect_uri", redirectURI + "/"}, "invalid_grant"},
		"wrong secret":          {[]string{"grant_type", "refresh_token", "client_secret", "x"}, "invalid_client"},
		"unknown client":        {[]string{"grant_type", "refresh_token", "client_id", "1"}, "invalid_client"},
		"no secret":             {[]string{"grant_type", "refresh_token", "client_secret", ""}, "invalid_request"},
		"garbled refresh token": {[]string{"grant_type", "refresh_token", "refresh_token", "x"}, "invalid_token"},
		"unknown refresh token": {[]string{"grant_type", "refresh_token", "refresh_token", strings.Repeat("x", 52)}, "invalid_token"},
		"no refresh token":      {[]string{"grant_type", "refresh_token"}, "invalid_token"},
		"other grant type":      {[]string{"grant_type", "password"}, "unsupported_grant_type"},
		"no grant type":         {nil, "unsupported_grant_type"},
	} {
		for _, status := range []int{0, 200} {
			srv.Configure(oktest.Settings{OAuthErrorStatus: status})
			r := exchange(t, srv.InProcess(), test.pairs...)
			if got := r.tokens(t); got.Error != test.want || got.Description == "" || got.AccessToken != "" {
				t.Errorf("%s: got %s, want %s", name, r.body, test.want)
			}
			if want := cmp.Or(status, 400); r.StatusCode != want {
				t.Errorf("%s: got status %d, want %d", name, r.StatusCode, want)
			}
		}
	}
	if r := postTo(t, srv.InProcess(), realAPI+"/oauth/token.do", nil); r.StatusCode != 400 || !strings.Contains(r.body, "Provide OAUTH request parameters!") {
		t.Errorf("without parameters: got %d %s", r.StatusCode, r.body)
	}
	if r := postTo(t, srv.InProcess(), realAPI+"/oauth/token.do", url.Values{"code": {"a", "b"}, "client_id": {"1"}}); r.tokens(t).Error != "invalid_request" {
		t.Errorf("a repeated parameter: got %s", r.body)
	}
}

// For a client_id that is not a number OK was recorded to send a page with
// status 200.
func TestClientIDIsNotANumber(t *testing.T) {
	srv := newServer(t)
	for _, id := range []string{app.Key, "512000123456 ", "0x10", "1e9"} {
		r := exchange(t, srv.InProcess(), "client_id", id, "grant_type", "refresh_token")
		if r.StatusCode != 200 || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") || !strings.Contains(r.body, "Failed to convert value") {
			t.Errorf("client_id %q: got %d %v %s", id, r.StatusCode, r.Header, r.body)
		}
	}
}

// A refresh token that was issued is known, also when it no longer works.
func TestRevokedRefreshToken(t *testing.T) {
	srv := newServer(t)
	anna := srv.NewUser("anna", "secret")
	for name, end := range map[string]func(){"revoked": anna.Revoke, "password changed": func() { anna.SetPassword("new") }} {
		token := anna.Token().RefreshToken
		end()
		if got := exchange(t, srv.InProcess(), "grant_type", "refresh_token", "refresh_token", token).tokens(t).Error; got != "invalid_grant" {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func TestCodeAndRefreshTokenExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := oktest.NewServer(app)
		defer srv.Close()
		anna := srv.NewUser("anna", "secret")
		early, late, refresh := anna.AuthCode(redirectURI), anna.AuthCode(redirectURI), anna.Token().RefreshToken
		redeem := func(code string) string {
			return exchange(t, srv.InProcess(), "grant_type", "authorization_code", "code", code, "redirect_uri", redirectURI).tokens(t).Error
		}
		time.Sleep(2*time.Minute - 1)
		if got := redeem(early); got != "" {
			t.Errorf("just before two minutes: %s", got)
		}
		time.Sleep(time.Nanosecond)
		if got := redeem(late); got != "invalid_grant" {
			t.Errorf("after two minutes: got %q", got)
		}
		time.Sleep(30*24*time.Hour - 3*time.Minute)
		ask := func() string {
			return exchange(t, srv.InProcess(), "grant_type", "refresh_token", "refresh_token", refresh).tokens(t).Error
		}
		if got := ask(); got != "" {
			t.Errorf("just before 30 days: %s", got)
		}
		time.Sleep(time.Minute)
		if got := ask(); got != "invalid_grant" {
			t.Errorf("after 30 days: got %q", got)
		}
	})
}

// golang.org/x/oauth2 itself gets along with the endpoint.
func TestXOAuth2(t *testing.T) {
	srv := newServer(t)
	client := &http.Client{Transport: srv.Transport()}
	config := oauth2.Config{ClientID: app.ID, ClientSecret: app.Secret, RedirectURL: redirectURI, Endpoint: oauth2.Endpoint{
		TokenURL: realAPI + "/oauth/token.do", AuthStyle: oauth2.AuthStyleInParams,
	}}
	for _, form := range []oktest.ExpiresIn{oktest.ExpiresString, oktest.ExpiresNumber, oktest.ExpiresAbsent} {
		srv.Configure(oktest.Settings{ExpiresIn: form})
		ctx := contextWith(t, client)
		token, err := config.Exchange(ctx, srv.NewUser("anna", "secret").AuthCode(redirectURI))
		if err != nil {
			t.Fatal(err)
		}
		if absent := form == oktest.ExpiresAbsent; token.Expiry.IsZero() != absent || token.RefreshToken == "" {
			t.Errorf("ExpiresIn %d: expiry %v", form, token.Expiry)
		}
	}
}
