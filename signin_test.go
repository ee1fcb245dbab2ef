package okru_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// One question shows that the user must sign in: at the call whose session the
// API rejects, at each later call, and for a source that never had a session;
// with a Call and a plain request, and also if API errors stay in responses.
func TestUserMustSignIn(t *testing.T) {
	for name, source := range map[string]func(*oktest.Server) *oauth.Source{
		"revoked": func(fake *oktest.Server) *oauth.Source {
			carol := fake.NewUser("carol", "password")
			carol.Grant("SET_STATUS")
			source := oauth.NewSource(oauth.Refresh{
				ClientID: app.ID, ClientSecret: app.Secret, RefreshToken: carol.Token().RefreshToken,
				HTTPClient: &http.Client{Transport: fake.InProcess()},
			}, oauth.Options{})
			session, err := source.Token()
			if err != nil {
				t.Fatal(err)
			}
			fake.Revoke(session.AccessToken)
			fake.Revoke(session.RefreshToken)
			fake.Inject(oktest.Fault{Method: oktest.TokenEndpoint, Status: 400, Header: http.Header{"Content-Type": {"application/json"}}, Body: `{"error":"invalid_grant"}`})
			return source
		},
		"no session": func(*oktest.Server) *oauth.Source {
			return oauth.NewSource(oauth.Refresh{ClientID: app.ID, ClientSecret: app.Secret}, oauth.Options{})
		},
		"no grant": func(*oktest.Server) *oauth.Source { return oauth.NewSource(nil, oauth.Options{}) },
	} {
		for _, passErrors := range []bool{false, true} {
			for _, plain := range []bool{false, true} {
				t.Run(name, func(t *testing.T) {
					fake, cfg := newFake(t)
					cfg.PassErrors, cfg.TokenSource = passErrors, source(fake)
					client := newClient(t, cfg)
					for i := range 3 {
						err := requestUser(t, client, plain)
						if !errors.Is(err, oauth.ErrSignIn) || !errors.Is(err, okerrors.ErrSession) {
							t.Errorf("PassErrors %t, plain %t, call %d: %v", passErrors, plain, i, err)
						}
						_, isAPI := errors.AsType[*okerrors.Error](err)
						if wasSent := name == "revoked" && i == 0; isAPI != wasSent {
							t.Errorf("PassErrors %t, plain %t, call %d: the error has the rejection: %t", passErrors, plain, i, isAPI)
						}
					}
				})
			}
		}
	}
}

// requestUser sends a call by the client itself, or by Call.
func requestUser(t *testing.T, client *http.Client, plain bool) error {
	if !plain {
		_, err := okru.Call[any](t.Context(), client, "users.getCurrentUser", nil)
		return err
	}
	resp, err := client.Get("https://api.ok.ru/fb.do?method=users.getCurrentUser")
	if err == nil {
		resp.Body.Close()
	}
	return err
}
