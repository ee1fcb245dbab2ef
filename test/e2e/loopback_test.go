package e2e_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

const (
	login    = "anna"
	password = "her password"
)

// The flows of the loopback sign-in: with an application secret that of a
// code, without that of a fragment, which the page must hand over.
var flows = []struct {
	name   string
	secret bool
}{{"code", true}, {"implicit", false}}

func TestLoopback(t *testing.T) {
	for _, flow := range flows {
		t.Run(flow.name, func(t *testing.T) {
			r := newRig(t, flow.secret)
			token, err := r.signIn(logIn(login, password), visible(allow), click(allow))
			if err != nil {
				t.Fatal(err)
			}
			r.works(token)
			r.browser.waitText("Signed in. You can close this page")
			r.wantNothingInAddressBar()
			if n := len(r.fake.Exchanges()); n == 1 != flow.secret {
				t.Errorf("%d requests to the token endpoint", n)
			}
		})
	}
}

func TestLoopbackDenied(t *testing.T) {
	for _, flow := range flows {
		t.Run(flow.name, func(t *testing.T) {
			r := newRig(t, flow.secret)
			if _, err := r.signIn(logIn(login, password), visible(deny), click(deny)); !errors.Is(err, oauth.ErrDenied) {
				t.Errorf("error is %v, want ErrDenied", err)
			}
			r.browser.waitText("You are not signed in")
			r.wantNothingInAddressBar()
		})
	}
}

// A rig is a program with a loopback sign-in, and a browser for which the fake
// is the real https://connect.ok.ru.
type rig struct {
	t       *testing.T
	fake    *oktest.Server
	browser *browser
	grant   oauth.Loopback
}

func newRig(t *testing.T, secret bool) *rig {
	t.Helper()
	chromium(t) // or skip, before anything listens
	fake := oktest.NewServer(oktest.App{})
	t.Cleanup(fake.Close)
	fake.NewUser(login, password)
	pages := httptest.NewTLSServer(fake.Handler())
	t.Cleanup(pages.Close)
	r := &rig{
		t:       t,
		fake:    fake,
		browser: newBrowser(t, "MAP connect.ok.ru "+pages.Listener.Addr().String()+", "),
		grant: oauth.Loopback{
			ClientID:    fake.App().ID,
			RedirectURL: freeURL(t),
			Scopes:      []string{oauth.ScopeValuableAccess, oauth.ScopePhotoContent},
			HTTPClient:  &http.Client{Transport: fake.Transport()},
		},
	}
	if secret {
		r.grant.ClientSecret = fake.App().Secret
	}
	return r
}

// freeURL returns a redirect URI where nothing listens.
func freeURL(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "http://localhost:" + port + "/signed-in"
}

// signIn runs the sign-in, and does what the user does in the browser.
func (r *rig) signIn(steps ...step) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	opened := make(chan error, 1)
	r.grant.Open = func(url string) error {
		if !strings.HasPrefix(url, "https://connect.ok.ru/oauth/authorize?") {
			r.t.Errorf("the browser is sent to %s", url)
		}
		err := r.browser.do(append([]step{chromedp.Navigate(url)}, steps...)...)
		opened <- err
		return err
	}
	token, err := r.grant.Token(ctx)
	if openErr := <-opened; openErr != nil {
		r.t.Fatal(openErr)
	}
	return token, err
}

// works fails the test if the session does not.
func (r *rig) works(token *oauth2.Token) {
	r.t.Helper()
	client, err := okru.NewClient(okru.Config{
		ApplicationKey:    r.fake.App().Key,
		ApplicationSecret: r.grant.ClientSecret,
		TokenSource:       oauth2.StaticTokenSource(token),
		Base:              r.fake.Transport(),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	friends, err := okru.Call[[]string](r.t.Context(), client, "friends.get", nil)
	if err != nil || len(friends) == 0 {
		r.t.Errorf("friends.get with the session: %d friends, %v", len(friends), err)
	}
}

// wantNothingInAddressBar fails the test if the code or the session stays
// where it can be read or copied.
func (r *rig) wantNothingInAddressBar() {
	r.t.Helper()
	if at := eval[string](r.browser, "location.href"); at != r.grant.RedirectURL {
		r.t.Errorf("the address bar has %s, want %s", at, r.grant.RedirectURL)
	}
}
