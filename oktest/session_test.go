package oktest_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

// works returns the code of a call with the session of t.
func works(t *testing.T, rt http.RoundTripper, token *oauth2.Token) okerrors.Code {
	t.Helper()
	return get(t, rt, realAPI, serverSigned(token, "method", "users.getLoggedInUser")).code(t)
}

func TestLifetimes(t *testing.T) {
	for name, test := range map[string]struct {
		settings oktest.Settings
		token    func(*oktest.User) *oauth2.Token
		lives    time.Duration // 0: no limit
	}{
		"default":  {oktest.Settings{}, func(u *oktest.User) *oauth2.Token { return u.Token() }, 30 * time.Minute},
		"an hour":  {oktest.Settings{AccessLifetime: time.Hour}, func(u *oktest.User) *oauth2.Token { return u.Token() }, time.Hour},
		"no limit": {oktest.Settings{AccessLifetime: -1}, func(u *oktest.User) *oauth2.Token { return u.Token() }, 0},
		"eternal":  {oktest.Settings{}, (*oktest.User).EternalToken, 0},
		"long": {oktest.Settings{}, func(u *oktest.User) *oauth2.Token { return u.Token("LONG_ACCESS_TOKEN") },
			30 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := oktest.NewServer(app)
				defer srv.Close()
				srv.Configure(test.settings)
				token := test.token(srv.NewUser("anna", "secret"))
				if test.lives == 0 {
					if !token.Expiry.IsZero() {
						t.Errorf("the token expires at %v, want never", token.Expiry)
					}
					time.Sleep(10 * 365 * 24 * time.Hour)
					if code := works(t, srv.InProcess(), token); code != 0 {
						t.Errorf("after ten years: code %v", code)
					}
					return
				}
				if got := time.Until(token.Expiry); got != test.lives {
					t.Errorf("the token expires in %v, want %v", got, test.lives)
				}
				time.Sleep(test.lives)
				if code := works(t, srv.InProcess(), token); code != okerrors.CodeParamSessionExpired {
					t.Errorf("at its end: code %v, want 102", code)
				}
			})
		})
	}
}

// A long session goes on as long as it is used, and is prolonged at most once
// a day.
func TestLongSessionSlides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := oktest.NewServer(app)
		defer srv.Close()
		const day = 24 * time.Hour
		token := srv.NewUser("anna", "secret").Token("LONG_ACCESS_TOKEN")
		for range 4 {
			time.Sleep(29 * day)
			if code := works(t, srv.InProcess(), token); code != 0 {
				t.Fatalf("in use: code %v", code)
			}
		}
		time.Sleep(day - time.Minute)
		works(t, srv.InProcess(), token) // too soon to prolong it
		time.Sleep(29*day + time.Minute)
		if code := works(t, srv.InProcess(), token); code != okerrors.CodeParamSessionExpired {
			t.Errorf("30 days after it was prolonged: code %v, want 102", code)
		}

		touched := srv.NewUser("boris", "secret").Token("LONG_ACCESS_TOKEN")
		time.Sleep(day - time.Minute)
		if r := get(t, srv.InProcess(), realAPI, serverSigned(touched, "method", "auth.touchSession")); r.body != "true" {
			t.Fatalf("auth.touchSession: %s", r.body)
		}
		time.Sleep(30*day - time.Minute)
		if code := works(t, srv.InProcess(), touched); code != 0 {
			t.Errorf("touched: code %v", code)
		}
	})
}

func TestReplacedSessionBringsItsKeys(t *testing.T) {
	srv := newServer(t)
	token := srv.NewUser("anna", "secret").Token()
	next := srv.Replace(token.AccessToken)
	r := get(t, srv.InProcess(), realAPI, serverSigned(token, "method", "events.get"))
	if code := r.code(t); code != okerrors.CodeParamSessionKeyChanged {
		t.Fatalf("got code %v, want 107", code)
	}
	var keys struct {
		Key    string `json:"session_key"`
		Secret string `json:"session_secret_key"`
	}
	if err := json.Unmarshal([]byte(r.body), &keys); err != nil || keys.Key != next || keys.Secret == "" {
		t.Fatalf("want session_key %s and a secret: %s", next, r.body)
	}
	call := signed(values("method", "events.get"), keys.Key, keys.Secret)
	if r := get(t, srv.InProcess(), realAPI, call); r.code(t) != 0 {
		t.Errorf("the new session is rejected: %s", r.body)
	}
	if srv.Replace("nonsense") != "" {
		t.Error("an unknown session was replaced")
	}
}

func TestRevoke(t *testing.T) {
	for name, test := range map[string]struct {
		revoke  func(*oktest.Server, *oktest.User, string)
		refresh bool // still works
	}{
		"one session": {func(s *oktest.Server, _ *oktest.User, token string) { s.Revoke(token) }, true},
		"expired":     {func(s *oktest.Server, _ *oktest.User, token string) { s.Expire(token) }, true},
		"user":        {func(_ *oktest.Server, u *oktest.User, _ string) { u.Revoke() }, false},
		"password":    {func(_ *oktest.Server, u *oktest.User, _ string) { u.SetPassword("other") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			anna := srv.NewUser("anna", "secret")
			token, others := anna.Token(), srv.NewUser("boris", "secret").Token()
			test.revoke(srv, anna, token.AccessToken)
			if code := works(t, srv.InProcess(), token); code.Is(okerrors.ErrSession) == false {
				t.Errorf("the session works: code %v", code)
			}
			if code := works(t, srv.InProcess(), others); code != 0 {
				t.Errorf("another's session does not work: code %v", code)
			}
			r := exchange(t, srv.InProcess(), "grant_type", "refresh_token", "refresh_token", token.RefreshToken)
			if ok := r.StatusCode == http.StatusOK; ok != test.refresh {
				t.Errorf("refresh: got %s, want success %t", r.body, test.refresh)
			}
		})
	}
}

func TestScopes(t *testing.T) {
	srv := newServer(t)
	anna := srv.NewUser("anna@example.com", "secret")
	token := anna.Token()
	call := func(pairs ...string) reply { return get(t, srv.InProcess(), realAPI, serverSigned(token, pairs...)) }

	if r := call("method", "users.setStatus", "status", "x"); r.code(t) != okerrors.CodePermissionDenied {
		t.Errorf("without SET_STATUS: %s", r.body)
	}
	anna.Grant("SET_STATUS", "GET_EMAIL")
	if r := call("method", "users.setStatus", "status", "x"); r.code(t) != 0 {
		t.Errorf("with SET_STATUS: %s", r.body)
	}
	var me map[string]any
	if err := json.Unmarshal([]byte(call("method", "users.getCurrentUser").body), &me); err != nil || me["email"] != "anna@example.com" {
		t.Errorf("with GET_EMAIL: got %v, %v", me, err)
	}
	anna.Withdraw("VALUABLE_ACCESS")
	r := call("method", "events.get")
	if r.code(t) != okerrors.CodePermissionDenied {
		t.Errorf("without VALUABLE_ACCESS: %s", r.body)
	}
	var object struct {
		Data string `json:"error_data"`
	}
	if err := json.Unmarshal([]byte(r.body), &object); err != nil || object.Data != "VALUABLE_ACCESS" {
		t.Errorf("error_data does not name the scope: %s", r.body)
	}
	anna.Withdraw()
	if r := call("method", "users.isAppUser"); r.body != "false" {
		t.Errorf("users.isAppUser after Withdraw: %s", r.body)
	}
}
