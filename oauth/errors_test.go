package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// The texts of errors, from the first word to the last: what failed, where, why,
// and what to do about it.
func TestErrorTexts(t *testing.T) {
	unreachable := &http.Client{Transport: transport.Func(func(*http.Request) (*http.Response, error) { return nil, errNetwork })}
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	inside := filepath.Join(file, "session.json")
	below := oauth.FileStore(inside)
	deleted := func(s oauth.Store) error { return s.(oauth.Deleter).Delete(t.Context()) }
	locked := func(s oauth.Store) error { _, err := s.Lock(t.Context()); return err }
	loaded := func(s oauth.Store) error { _, err := s.Load(t.Context()); return err }
	saved := func(s oauth.Store) error { return s.Save(t.Context(), token("T", "", 0)) }
	obtained := func(g oauth.Grant) error { _, err := g.Token(t.Context()); return err }
	for _, test := range []struct {
		err  error
		want string // * is any text
	}{
		{oauth.ErrSignIn, "okru: the user must sign in"},
		{oauth.ErrRefused, "okru: new sessions are rejected as well"},
		{oauth.ErrCorrupt, "okru: stored session is corrupt"},
		{oauth.ErrState, "okru: state differs from the one sent"},
		{oauth.ErrCredentials, "okru: wrong login or password"},
		{oauth.ErrDenied, "okru: access denied"},

		{loaded(below), "okru: session file: open " + inside + ": *"},
		{saved(below), "okru: session file: mkdir " + file + ": *"},
		{locked(below), "okru: session file: mkdir " + file + ": *"},
		{deleted(below), "okru: session file: remove " + inside + ": *"},
		{loaded(oauth.FileStore("")), "okru: session file: the path is empty"},
		{saved(oauth.FileStore("")), "okru: session file: the path is empty"},
		{locked(oauth.FileStore("")), "okru: session file: the path is empty"},
		{deleted(oauth.FileStore("")), "okru: session file: the path is empty"},
		{loaded(oauth.FileStore(file)), "okru: stored session: it does not have version 1 of this format; another program wrote it (" + file + ")"},
		{unmarshal(""), "okru: stored session: it is empty"},
		{unmarshal(`{"version":1`), "okru: stored session: it is not a JSON object, or only a part of one"},
		{unmarshal(`{"version":1}`), "okru: stored session: a field is wrong"},
		{unmarshal(`{"version":1,"access_token":"T","expiry":"soon"}`), "okru: stored session: a field is wrong"},

		{obtained(oauth.Code{}), "okru: oauth.Code: set ClientID and ClientSecret and Code"},
		{obtained(oauth.Refresh{}), "okru: oauth.Refresh: set ClientID and ClientSecret and RefreshToken"},
		{obtained(oauth.Implicit{}), "okru: oauth.Implicit: set ClientID and Login and Password"},
		{obtained(oauth.Password{}), "okru: oauth.Password: set ApplicationKey and Login and Password"},
		{obtained(oauth.Loopback{}), "okru: oauth.Loopback: set ClientID and RedirectURL"},
		{renewed(oauth.Code{}, "R"), "okru: oauth.Code: set ClientID and ClientSecret"},
		{renewed(oauth.Code{ClientID: "1", ClientSecret: "S"}, ""), "okru: the session has no refresh token; the user must sign in again"},
		{static("", ""), "okru: oauth.Static: set the access token"},

		{obtained(oauth.Code{ClientID: "1", ClientSecret: "S"}), "okru: oauth.Code: set Code; the user must sign in"},
		{obtained(oauth.Refresh{ClientID: "1", ClientSecret: "S", HTTPClient: unreachable}), "okru: oauth.Refresh: set RefreshToken; the user must sign in"},
		{obtained(oauth.Implicit{ClientID: "1"}), "okru: oauth.Implicit: set Login and Password; the user must sign in"},
		{obtained(oauth.Password{ApplicationKey: "K"}), "okru: oauth.Password: set Login and Password; the user must sign in"},

		{obtained(oauth.Code{ClientID: "1 ", ClientSecret: " S", Code: "C\n"}), "okru: oauth.Code: remove the white space around ClientID and ClientSecret and Code"},
		{renewed(oauth.Code{ClientID: "1 ", ClientSecret: " S"}, "R "), "okru: oauth.Code: remove the white space around ClientID and ClientSecret and the refresh token"},
		{obtained(oauth.Refresh{ClientID: " 1", ClientSecret: "S ", RefreshToken: "R ", HTTPClient: unreachable}), "okru: oauth.Refresh: remove the white space around ClientID and ClientSecret and RefreshToken"},
		{obtained(oauth.Implicit{ClientID: "1 ", Login: "anna\n", Password: "secret\n"}), "okru: oauth.Implicit: remove the white space around ClientID and Login and Password"},
		{obtained(oauth.Password{ApplicationKey: "K ", ApplicationSecret: "S ", Login: "anna\n", Password: "secret\n"}), "okru: oauth.Password: remove the white space around ApplicationKey and ApplicationSecret and Login and Password"},
		{obtained(oauth.Loopback{ClientID: "1 ", ClientSecret: "S ", RedirectURL: "http://localhost:1/ "}), "okru: oauth.Loopback: remove the white space around ClientID and ClientSecret and RedirectURL"},
		{static("A ", "S "), "okru: oauth.Static: remove the white space around the access token and the session secret"},

		{obtained(oauth.Code{ClientID: "CKEY", ClientSecret: "S", Code: "C"}), "okru: oauth.Code: ClientID must be the application's number (application id), not its key"},
		{obtained(oauth.Implicit{ClientID: "1", Login: "anna", Password: "secret", RedirectURL: "blank.html"}), "okru: oauth.Implicit: RedirectURL is not an absolute URL"},
		{obtained(oauth.Implicit{ClientID: "1", Login: "anna", Password: "secret", RedirectURL: ":"}), "okru: oauth.Implicit: RedirectURL is not an absolute URL"},
		{obtained(oauth.Loopback{ClientID: "1", RedirectURL: "https://localhost:8910/"}), "okru: oauth.Loopback: RedirectURL must be like http://localhost:8910/path, with host localhost, 127.0.0.1 or [::1]"},
		{obtained(oauth.Loopback{ClientID: "1", RedirectURL: "http://example.org/"}), "okru: oauth.Loopback: RedirectURL must be like http://localhost:8910/path, with host localhost, 127.0.0.1 or [::1]"},
		{obtained(oauth.Loopback{ClientID: "1", RedirectURL: "http://127.0.0.1:99999/"}), "okru: oauth.Loopback: cannot listen at RedirectURL: listen tcp: address 99999: invalid port"},

		{redirected("?code=C&state=other"), "okru: redirect: its state differs from the one sent; it may be forged: start the sign-in again"},
		{redirected("?state=s"), "okru: redirect: it has neither a code nor an access_token"},
		{redirected("?code=%zz&state=s"), "okru: redirect: a parameter has an invalid percent-escape"},
		{redirected("?code=C&code=C&state=s"), "okru: redirect: duplicate parameter"},
		{redirected("?error=invalid_scope"), "okru: redirect: invalid_scope"},
		{redirected("?error=access_denied&error_description=by+the+user"), "okru: redirect: access_denied (by the user); the user must sign in again"},

		{obtained((&endpoint{}).password()), "okru: auth.login: the response is empty"},
		{marshal(nil), "okru: there is no access token to store"},
		{marshal((&oauth2.Token{AccessToken: "A"}).WithExtra(map[string]any{"uid": func() {}})), "okru: the token cannot be stored: its expiry or an extra cannot be represented in JSON"},

		{admitted(nil), "okru: oauth.Sessions.Admit: the session has no access token"},
		{oauth.NewSessions(oauth.SessionsOptions{Store: func(string) oauth.Store { return struct{ oauth.Store }{newMemory(nil)} }}).Dismiss(t.Context(), "anna"), "okru: oauth.Sessions.Dismiss: the store has no method Delete, see oauth.Deleter"},
		{used(nil), "okru: sign-in failed: there is no session, and oauth.NewSource was given no grant"},
		{used(failing(nil)), "okru: sign-in failed: the grant returned neither a session nor an error; next attempt in 5s"},
		{used(failing(&oauth2.RetrieveError{ErrorCode: "invalid_grant"})), `okru: sign-in failed: oauth2: "invalid_grant"; the user must sign in`},

		{obtained(oauth.Refresh{ClientID: "1", ClientSecret: "S", RefreshToken: "R", HTTPClient: unreachable}), "okru: POST https://api.ok.ru/oauth/token.do: " + errNetwork.Error()},
		{used(oauth.Refresh{ClientID: "1", ClientSecret: "S", HTTPClient: unreachable}), "okru: sign-in failed: oauth.Refresh: set RefreshToken; the user must sign in"},
		{used(oauth.Refresh{ClientID: "1", ClientSecret: "S", RefreshToken: "R", HTTPClient: unreachable}), "okru: sign-in failed: POST https://api.ok.ru/oauth/token.do: " + errNetwork.Error() + "; next attempt in 5s"},
	} {
		prefix, isPrefix := strings.CutSuffix(test.want, "*")
		if test.err == nil || test.err.Error() != prefix && !(isPrefix && strings.HasPrefix(test.err.Error(), prefix)) {
			t.Errorf("the error is %q, want %q", test.err, test.want)
		}
		if got := fmt.Sprintf("%+v", test.err); test.err != nil && got != test.err.Error() {
			t.Errorf("%%+v prints %q, want %q", got, test.err)
		}
	}
}

func unmarshal(text string) error {
	_, err := oauth.UnmarshalToken([]byte(text))
	return err
}

func marshal(token *oauth2.Token) error {
	_, err := oauth.MarshalToken(token)
	return err
}

func redirected(url string) error {
	_, _, err := oauth.ParseRedirect(url, "s")
	return err
}

func renewed(g oauth.Renewer, refreshToken string) error {
	_, err := g.Renew(context.Background(), token("A", refreshToken, 0))
	return err
}

func static(accessToken, sessionSecret string) error {
	_, err := oauth.Static(accessToken, sessionSecret).Token()
	return err
}

func admitted(token *oauth2.Token) error {
	_, err := oauth.NewSessions(oauth.SessionsOptions{}).Admit(context.Background(), "anna", token)
	return err
}

// used returns the error of a Source.
func used(g oauth.Grant) error {
	_, err := oauth.NewSource(g, oauth.Options{}).Token()
	return err
}

// A failed grant that OK explains is an error of package oauth2 as well.
func TestErrorsAreThoseOfOAuth2(t *testing.T) {
	e := &endpoint{}
	e.set(http.StatusBadRequest, `{"error":"invalid_grant","error_description":"used up"}`)
	_, err := e.refresh().Token(t.Context())
	if r, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || r.ErrorCode != "invalid_grant" || r.ErrorDescription != "used up" || r.Response.StatusCode != http.StatusBadRequest {
		t.Errorf("the error is %#v", err)
	}
}
