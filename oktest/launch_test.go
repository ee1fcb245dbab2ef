package oktest_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oktest"
)

// The session of a launch is one that calls can be made with, in both circuits.
func TestLaunch(t *testing.T) {
	srv := newServer(t)
	anna := srv.NewUser("anna", "password")
	params := anna.Launch()
	checkSig(t, params)
	user, session := params.Get("logged_user_id"), params.Get("session_key")
	if user != anna.ID() || params.Get("application_key") != app.Key || params.Get("api_server") != "https://api.ok.ru/" {
		t.Errorf("launch parameters are %v", params)
	}
	if want := md5sum(user + session + app.Secret); params.Get("auth_sig") != want {
		t.Errorf("auth_sig is %q, want %q", params.Get("auth_sig"), want)
	}
	for _, name := range []string{"authorized", "apiconnection", "refplace", "referer", "custom_args", "container", "mob", "mob_platform", "header_widget", "first_start"} {
		if !params.Has(name) {
			t.Errorf("%s is missing", name)
		}
	}
	token := (&oauth2.Token{AccessToken: session}).WithExtra(map[string]any{"session_secret_key": params.Get("session_secret_key")})
	for circuit, call := range map[string]url.Values{
		"client": clientSigned(token, "method", "users.getCurrentUser"), "server": serverSigned(token, "method", "users.getCurrentUser"),
	} {
		if r := get(t, srv.InProcess(), realAPI, call); r.code(t) != 0 || last(t, srv).UserID != anna.ID() {
			t.Errorf("%s circuit: %s", circuit, r.body)
		}
	}
	if again := anna.Launch(); again.Get("session_key") == session {
		t.Error("two launches have one session")
	}
	srv.Configure(oktest.Settings{APIServer: "https://evil.test/", AccessLifetime: time.Hour})
	if got := anna.Launch().Get("api_server"); got != "https://evil.test/" {
		t.Errorf("api_server is %q, want that of the settings", got)
	}
}

// A changed parameter can be signed again.
func TestSign(t *testing.T) {
	srv := newServer(t)
	params := srv.NewUser("anna", "password").Launch()
	params.Set("custom_args", "level=7")
	params.Set("resig", "1")
	params.Set("access_token", "1")
	checkSig(t, srv.Sign(params))
}

// Each copy differs from what OK signed, and from each other; the original
// stays as it is.
func TestTamperings(t *testing.T) {
	anna := newServer(t).NewUser("anna", "password")
	for kind, params := range map[string]url.Values{"launch": anna.Launch(), "payment": anna.Payment("sword", 100)} {
		original := fmt.Sprint(params)
		seen := map[string]string{original: "nothing"}
		var names []string
		for name, changed := range oktest.Tamperings(params) {
			if before := seen[fmt.Sprint(changed)]; before != "" {
				t.Errorf("%s: %s changes the same as %s", kind, name, before)
			}
			seen[fmt.Sprint(changed)] = name
			names = append(names, name)
		}
		if fmt.Sprint(params) != original {
			t.Errorf("%s: the original has changed", kind)
		}
		for _, want := range []string{"forged sig", "added access_token", "added resig", "another application_key", "no application_key", "sig of another application"} {
			if !slices.Contains(names, want) {
				t.Errorf("%s: no %s in %v", kind, want, names)
			}
		}
		if slices.Contains(names, "no sig") != (kind == "payment") {
			t.Errorf("%s: copies are %v", kind, names)
		}
	}
	for name := range oktest.Tamperings(anna.Payment("sword", 100)) {
		if name != "empty sig" {
			t.Error("the loop did not end")
		}
		break
	}
}
