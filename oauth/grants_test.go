package oauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// ok is a fake OK with one user, behind TLS.
type ok struct {
	*oktest.Server
	user   *oktest.User
	client *http.Client
}

func newOK(t *testing.T) *ok {
	s := oktest.NewServer(oktest.App{})
	t.Cleanup(s.Close)
	return &ok{s, s.NewUser("anna", "CANARY-pass"), &http.Client{Transport: s.Transport()}}
}

func (s *ok) code() oauth.Code {
	const back = "https://example.org/back"
	return oauth.Code{ClientID: s.App().ID, ClientSecret: s.App().Secret, RedirectURL: back, Code: s.user.AuthCode(back), HTTPClient: s.client}
}

func (s *ok) refresh() oauth.Refresh {
	return oauth.Refresh{ClientID: s.App().ID, ClientSecret: s.App().Secret, RefreshToken: s.user.Token().RefreshToken, HTTPClient: s.client}
}

func (s *ok) implicit() oauth.Implicit {
	return oauth.Implicit{ClientID: s.App().ID, Login: "anna", Password: "CANARY-pass", Scopes: []string{oauth.ScopeValuableAccess, oauth.ScopePhotoContent},
		State: "st&te", HTTPClient: s.client}
}

func (s *ok) password() oauth.Password {
	return oauth.Password{ApplicationKey: s.App().Key, ApplicationSecret: s.App().Secret, Login: "anna", Password: "CANARY-pass", HTTPClient: s.client}
}

// works fails the test unless the fake accepts the session.
func (s *ok) works(t *testing.T, got *oauth2.Token) {
	t.Helper()
	params := url.Values{"application_key": {s.App().Key}, "format": {"json"}, "method": {"users.getLoggedInUser"}}
	secret := oauth.SessionSecret(got)
	if secret == "" {
		secret = md5Hex(got.AccessToken + s.App().Secret)
	}
	params.Set("sig", md5Hex("application_key="+s.App().Key+"format=jsonmethod=users.getLoggedInUser"+secret))
	params.Set("access_token", got.AccessToken)
	resp, err := s.client.PostForm("https://api.ok.ru/fb.do", params)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if e, failed := okerrors.FromResponse(resp); failed {
		t.Errorf("the session is rejected: %v", e)
	}
}

func TestGrantsAgainstTheFake(t *testing.T) {
	type fake = *ok
	tests := map[string]struct {
		grant  func(fake) oauth.Grant
		before func(fake) // the exchange
		is     []error    // nil: it succeeds
		isNot  []error
		check  func(error) bool
		sent   int // requests to token.do
	}{
		"code":            {grant: func(s fake) oauth.Grant { return s.code() }, sent: 1},
		"code, signed in": {grant: func(s fake) oauth.Grant { return s.code() }, before: func(s fake) { s.Configure(oktest.Settings{ExpiresIn: oktest.ExpiresNumber}) }, sent: 1},
		"code, no expiry": {grant: func(s fake) oauth.Grant { return s.code() }, before: func(s fake) { s.Configure(oktest.Settings{ExpiresIn: oktest.ExpiresAbsent}) }, sent: 1},
		"code, unknown": {grant: func(s fake) oauth.Grant { g := s.code(); g.Code = "CANARY"; return g },
			is: []error{oauth.ErrSignIn}, check: retrieved("invalid_grant"), sent: 1},
		"code, wrong secret": {grant: func(s fake) oauth.Grant { g := s.code(); g.ClientSecret = "CANARY"; return g },
			isNot: []error{oauth.ErrSignIn}, check: retrieved("invalid_client"), is: []error{}, sent: 1},
		"code, error with 200": {grant: func(s fake) oauth.Grant { g := s.code(); g.Code = "CANARY"; return g },
			before: func(s fake) { s.Configure(oktest.Settings{OAuthErrorStatus: 200}) }, is: []error{oauth.ErrSignIn}, check: retrieved("invalid_grant"), sent: 1},
		"code, HTML": {grant: func(s fake) oauth.Grant { return s.code() },
			before: func(s fake) { s.Inject(oktest.Fault{Method: oktest.TokenEndpoint, Body: oktest.HTMLPage}) }, is: []error{}, check: retrieved(""), sent: 1},
		"code, empty": {grant: func(s fake) oauth.Grant { return s.code() },
			before: func(s fake) {
				s.Inject(oktest.Fault{Method: oktest.TokenEndpoint, Status: 200, Body: " "})
			}, is: []error{}, check: retrieved(""), sent: 1},
		"code, redirect": {grant: func(s fake) oauth.Grant { return s.code() },
			before: func(s fake) {
				s.Inject(oktest.Fault{Method: oktest.TokenEndpoint, Status: 307, Header: http.Header{"Location": {"https://api.ok.ru/oauth/token.do"}}})
			}, is: []error{}, check: retrieved(""), sent: 1},
		"code, broken off": {grant: func(s fake) oauth.Grant { return s.code() },
			before: func(s fake) { s.Inject(oktest.Fault{Method: oktest.TokenEndpoint, Truncate: true}) }, is: []error{}, sent: 1},
		"code, reset": {grant: func(s fake) oauth.Grant { return s.code() },
			before: func(s fake) { s.Inject(oktest.Fault{Method: oktest.TokenEndpoint, Reset: true}) }, is: []error{}, sent: 1},
		"refresh":          {grant: func(s fake) oauth.Grant { return s.refresh() }, sent: 1},
		"refresh, rotated": {grant: func(s fake) oauth.Grant { return s.refresh() }, before: func(s fake) { s.Configure(oktest.Settings{RotateRefresh: true}) }, sent: 1},
		"refresh, malformed": {grant: func(s fake) oauth.Grant { g := s.refresh(); g.RefreshToken = "CANARY"; return g },
			is: []error{oauth.ErrSignIn}, check: retrieved("invalid_token"), sent: 1},
		"refresh, revoked": {grant: func(s fake) oauth.Grant { return s.refresh() }, before: func(s fake) { s.user.Revoke() },
			is: []error{oauth.ErrSignIn}, check: retrieved("invalid_grant"), sent: 1},
		"implicit": {grant: func(s fake) oauth.Grant { return s.implicit() }},
		"implicit, custom scheme": {grant: func(s fake) oauth.Grant {
			g := s.implicit()
			g.RedirectURL = "okauth://ok512000000001"
			return g
		}},
		"implicit, consent given": {grant: func(s fake) oauth.Grant { return s.implicit() }, before: func(s fake) { s.user.Grant(oauth.ScopePhotoContent) }},
		"implicit, bare":          {grant: func(s fake) oauth.Grant { g := s.implicit(); g.Scopes, g.State = nil, ""; return g }},
		"implicit, wrong password": {grant: func(s fake) oauth.Grant { g := s.implicit(); g.Password = "CANARY"; return g },
			is: []error{oauth.ErrSignIn, oauth.ErrCredentials}},
		"implicit, unknown login": {grant: func(s fake) oauth.Grant { g := s.implicit(); g.Login = "boris"; return g },
			is: []error{oauth.ErrSignIn, oauth.ErrCredentials}},
		"implicit, rejected application": {grant: func(s fake) oauth.Grant { g := s.implicit(); g.ClientID = "1"; return g },
			is: []error{}, isNot: []error{oauth.ErrSignIn}, check: retrieved("invalid_client")},
		"implicit, captcha": {grant: func(s fake) oauth.Grant { return s.implicit() }, before: func(s fake) { s.user.Require(oktest.Captcha) },
			is: []error{oauth.ErrSignIn}, isNot: []error{oauth.ErrCredentials}, check: page("OAuth2Captcha")},
		"implicit, phone": {grant: func(s fake) oauth.Grant { return s.implicit() }, before: func(s fake) { s.user.Require(oktest.HumanCheck) },
			is: []error{oauth.ErrSignIn}, check: page("OAuth2PhoneCheck")},
		"implicit, blocked": {grant: func(s fake) oauth.Grant { return s.implicit() }, before: func(s fake) { s.user.Require(oktest.Blocked) },
			is: []error{oauth.ErrSignIn}, check: page("OAuth2Blocked")},
		"implicit, unknown scope": {grant: func(s fake) oauth.Grant { g := s.implicit(); g.Scopes = []string{"NONSENSE"}; return g },
			is: []error{}, isNot: []error{oauth.ErrSignIn}, check: retrieved("invalid_scope")},
		"implicit, outage": {grant: func(s fake) oauth.Grant { return s.implicit() }, before: func(s fake) { s.Inject(oktest.Fault{Method: oktest.LoginPages, Status: 503}) },
			is: []error{}, isNot: []error{oauth.ErrSignIn}, check: retrieved("")},
		"password":           {grant: func(s fake) oauth.Grant { return s.password() }},
		"password, unsigned": {grant: func(s fake) oauth.Grant { g := s.password(); g.ApplicationSecret = ""; return g }},
		"password, wrong": {grant: func(s fake) oauth.Grant { g := s.password(); g.Password = "CANARY"; return g },
			is: []error{oauth.ErrSignIn, oauth.ErrCredentials, okerrors.CodeAuthLogin}},
		"password, captcha": {grant: func(s fake) oauth.Grant { return s.password() }, before: func(s fake) { s.user.Require(oktest.Captcha) },
			is: []error{oauth.ErrSignIn, okerrors.CodeAuthLoginCaptcha}, isNot: []error{oauth.ErrCredentials}},
		"password, human check": {grant: func(s fake) oauth.Grant { return s.password() }, before: func(s fake) { s.user.Require(oktest.HumanCheck) },
			is: []error{oauth.ErrSignIn, okerrors.CodeAuthLoginWebHumanCheck}, check: func(err error) bool {
				e, ok := errors.AsType[*okerrors.Error](err)
				return ok && strings.HasPrefix(e.URL, "https://connect.ok.ru/dk?")
			}},
		"password, other application": {grant: func(s fake) oauth.Grant { g := s.password(); g.ApplicationKey = "OTHER"; return g },
			is: []error{okerrors.ErrInvalid}, isNot: []error{oauth.ErrSignIn}},
		"password, outage": {grant: func(s fake) oauth.Grant { return s.password() }, before: func(s fake) { s.Inject(oktest.Fault{Method: "auth.login", Status: 502}) },
			is: []error{}, isNot: []error{oauth.ErrSignIn}, check: retrieved("")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newOK(t)
			if test.before != nil && test.is == nil {
				test.before(s)
			}
			g := test.grant(s)
			if test.before != nil && test.is != nil {
				test.before(s)
			}
			got, err := g.Token(t.Context())
			if n := len(s.Exchanges()); n != test.sent {
				t.Errorf("%d requests to token.do, want %d", n, test.sent)
			}
			if test.is == nil {
				if err != nil {
					t.Fatal(err)
				}
				s.works(t, got)
				return
			}
			if err == nil {
				t.Fatalf("session %v", got)
			}
			for _, target := range test.is {
				if !errors.Is(err, target) {
					t.Errorf("%v is not %v", err, target)
				}
			}
			for _, target := range test.isNot {
				if errors.Is(err, target) {
					t.Errorf("%v is %v", err, target)
				}
			}
			if test.check != nil && !test.check(err) {
				t.Errorf("error is %v", err)
			}
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "CANARY") {
				t.Errorf("error leaks: %v", err)
			}
		})
	}
}

// retrieved returns a check for an *oauth2.RetrieveError with this code.
func retrieved(code string) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*oauth2.RetrieveError](err)
		return ok && e.ErrorCode == code
	}
}

// page returns a check for a *PageError about this page.
func page(cmd string) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*oauth.PageError](err)
		return ok && strings.HasPrefix(e.URL(), "https://connect.ok.ru/dk?") && strings.Contains(e.URL(), cmd) && strings.Contains(err.Error(), cmd)
	}
}

// Every grant renews, as a Source asks it to.
func TestSourcesAgainstTheFake(t *testing.T) {
	for name, grant := range map[string]func(*ok) oauth.Grant{
		"code":     func(s *ok) oauth.Grant { return s.code() },
		"refresh":  func(s *ok) oauth.Grant { return s.refresh() },
		"implicit": func(s *ok) oauth.Grant { return s.implicit() },
		"password": func(s *ok) oauth.Grant { return s.password() },
	} {
		t.Run(name, func(t *testing.T) {
			fake := newOK(t)
			fake.Configure(oktest.Settings{RotateRefresh: true})
			s := oauth.NewSource(grant(fake), oauth.Options{Store: newMemory(nil), CoolDown: -1})
			for range 3 {
				got, err := s.Token()
				if err != nil {
					t.Fatal(err)
				}
				fake.works(t, got)
				fake.Revoke(got.AccessToken)
				s.Invalidate(got)
			}
			fake.user.SetPassword("another")
			wantErr(t, s, oauth.ErrSignIn)
			wantErr(t, s, oauth.ErrSignIn)
		})
	}
}
