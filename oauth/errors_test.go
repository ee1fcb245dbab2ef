package oauth_test

import (
	"errors"
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

		{obtained(oauth.Refresh{}), "okru: oauth.Refresh: set ClientID and ClientSecret and RefreshToken*"},
		{obtained(oauth.Refresh{ClientID: "1", ClientSecret: "S ", RefreshToken: "R", HTTPClient: unreachable}), "okru: oauth.Refresh: remove the white space around ClientSecret"},
		{obtained(oauth.Refresh{ClientID: "1", ClientSecret: "S", HTTPClient: unreachable}), "okru: oauth.Refresh: set RefreshToken; the user must sign in"},
		{obtained(oauth.Refresh{ClientID: "1", ClientSecret: "S", RefreshToken: "R", HTTPClient: unreachable}), "okru: POST https://api.ok.ru/oauth/token.do: " + errNetwork.Error()},
		{used(oauth.Refresh{ClientID: "1", ClientSecret: "S", HTTPClient: unreachable}), "okru: sign-in failed: oauth.Refresh: set RefreshToken; the user must sign in*"},
		{used(oauth.Refresh{ClientID: "1", ClientSecret: "S", RefreshToken: "R", HTTPClient: unreachable}), "okru: sign-in failed: POST https://api.ok.ru/oauth/token.do: " + errNetwork.Error() + "; next attempt in *"},
	} {
		prefix, isPrefix := strings.CutSuffix(test.want, "*")
		if test.err == nil || test.err.Error() != prefix && !(isPrefix && strings.HasPrefix(test.err.Error(), prefix)) {
			t.Errorf("the error is %q, want %q", test.err, test.want)
		}
	}
}

func unmarshal(text string) error {
	_, err := oauth.UnmarshalToken([]byte(text))
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
