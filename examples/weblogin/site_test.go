package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

func TestSessionIsRenewed(t *testing.T) {
	s := newStage(t)
	s.signIn()
	s.wantExchanges(1)
	s.fake.Revoke(s.session())
	s.want(http.StatusOK, "/", "Пётр Попов")
	s.wantExchanges(2)
}

func TestSessionOutlivesTheProgram(t *testing.T) {
	s := newStage(t)
	s.signIn()
	s.start()
	s.want(http.StatusOK, "/", "Пётр Попов")
	s.wantExchanges(1)
	s.fake.Expire(s.session())
	s.start()
	s.want(http.StatusOK, "/", "Пётр Попов")
	s.wantExchanges(2)
}

func TestSessionEnds(t *testing.T) {
	for name, before := range map[string]func(*stage){"at once": func(*stage) {}, "after a restart": (*stage).start} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.signIn()
			s.user.Revoke()
			before(s)
			s.want(http.StatusOK, "/", ended)
			s.wantFiles(0)
			s.want(http.StatusOK, "/", signedOut)
		})
	}
}

// A temporary failure signs no visitor out.
func TestPassingFailure(t *testing.T) {
	t.Run("of the API", func(t *testing.T) {
		s := newStage(t)
		s.signIn()
		s.fake.Inject(oktest.Fault{Method: "friends.get", Code: okerrors.CodePermissionDenied})
		s.want(http.StatusBadGateway, "/", "try again later")
		s.fake.ClearFaults()
		s.want(http.StatusOK, "/", "Пётр Попов")
	})
	t.Run("of the token endpoint", func(t *testing.T) {
		s := newStage(t)
		s.signIn()
		s.fake.Inject(oktest.Fault{Method: oktest.TokenEndpoint, Status: http.StatusServiceUnavailable})
		s.fake.Expire(s.session())
		s.want(http.StatusBadGateway, "/", "try again later")
		s.fake.ClearFaults()
		s.start() // which saves waiting for the cool-down
		s.want(http.StatusOK, "/", "Пётр Попов")
	})
}

func TestSignOut(t *testing.T) {
	s := newStage(t)
	s.signIn()
	stolen := s.newVisitor()
	stolen.client.Jar.SetCookies(s.visitor.at, s.visitor.client.Jar.Cookies(s.visitor.at))
	r, _ := http.NewRequest(http.MethodPost, s.http.URL+"/signout", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := s.visitor.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("another site signs visitors out: %s", resp.Status)
	}
	s.want(http.StatusOK, "/", "Пётр Попов")
	if err := s.visitor.fetch(http.MethodPost, s.http.URL+"/signout", url.Values{}); err != nil {
		t.Fatal(err)
	}
	s.wantFiles(0)
	s.want(http.StatusOK, "/", signedOut)
	s.visitor = stolen
	s.want(http.StatusOK, "/", signedOut)
}

// No visitor is signed in by a redirect that does not belong to what this very
// browser began.
func TestForgedRedirects(t *testing.T) {
	s := newStage(t)
	code := func() string { return s.user.AuthCode(s.http.URL+"/back", oauth.ScopeValuableAccess) }
	s.want(http.StatusBadRequest, "/back?code="+code()+"&state=x", "did not begin here")
	s.want(http.StatusBadRequest, "/back?code="+code()+"&state=", "did not begin here")

	begin := func() (state string) {
		if err := s.visitor.open(s.http.URL + "/signin"); err != nil {
			t.Fatal(err)
		}
		for _, cookie := range s.visitor.client.Jar.Cookies(&url.URL{Scheme: "http", Host: s.http.Listener.Addr().String(), Path: "/back"}) {
			if cookie.Name == stateCookie {
				state, _, _ = strings.Cut(cookie.Value, ".")
			}
		}
		return state
	}
	begin()
	s.want(http.StatusBadRequest, "/back?code="+code()+"&state=x", "did not sign you in")
	begin()
	s.want(http.StatusBadRequest, "/back?code="+code(), "did not sign you in")
	s.want(http.StatusBadRequest, "/back?code="+code()+"&state="+begin()+"&state=x", "did not sign you in")
	state := begin()
	s.want(http.StatusForbidden, "/back?error=access_denied&state="+state, "did not allow")
	s.want(http.StatusBadRequest, "/back?code="+code()+"&state="+state, "did not begin here") // used before
	s.wantExchanges(0)

	s.want(http.StatusBadGateway, "/back?code=unknown&state="+begin(), "did not sign you in")
	s.wantFiles(0)
	s.want(http.StatusOK, "/back?code="+code()+"&state="+begin(), "Пётр Попов") // and this is the way
}

func TestPageEscapes(t *testing.T) {
	s := newStage(t)
	s.fake.Handle("users.getCurrentUser", func(url.Values) (any, error) {
		return map[string]string{"name": `<script>alert("x")</script>`}, nil
	})
	s.signIn()
	if strings.Contains(s.visitor.text, "<script") || !strings.Contains(s.visitor.text, "&lt;script&gt;") {
		t.Errorf("the page is\n%s", s.visitor.text)
	}
}

func TestSelfCheck(t *testing.T) {
	s := newStage(t)
	var out strings.Builder
	if err := selfCheck(t.Context(), s.http.URL, &out); err != nil || strings.Count(out.String(), "\n") != 1+7 {
		t.Errorf("%v, and it prints\n%s", err, &out)
	}
}
