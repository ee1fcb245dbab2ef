package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
)

func (a *app) loginCommand() *cobra.Command {
	var l login
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Sign in with the browser, and store the session",
		Long: `Login opens OK's page in the browser, waits until the user has signed in, and
stores the session in the keyring of the system or, with --file, in a file that
only you can read. Later commands use it; okru logout deletes it.

It needs OKRU_APPLICATION_ID and OKRU_APPLICATION_KEY. With
OKRU_APPLICATION_SECRET the session is renewed when it expires, for 30 days.
Without it, as in programs that are distributed to users, it lasts 30 minutes,
or 30 days with the permission LONG_ACCESS_TOKEN.

The redirect URL must be registered in the settings of the application.`,
		Example: `  okru login
  okru login --scope VALUABLE_ACCESS,LONG_ACCESS_TOKEN --redirect-url http://localhost:8910/signed-in
  okru login --file     # on a machine without a keyring`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return l.run(cmd.Context(), a) },
	}
	cmd.Flags().StringSliceVar(&l.scopes, "scope", []string{oauth.ScopeValuableAccess}, "the `permissions` to ask for")
	cmd.Flags().StringVar(&l.redirectURL, "redirect-url", "http://localhost:8910/signed-in", "a registered redirect `URL` of this machine")
	cmd.Flags().BoolVar(&l.file, "file", false, "store the session in a file instead of the keyring")
	cmd.Flags().DurationVar(&l.timeout, "timeout", 5*time.Minute, "how long to wait for the user")
	return cmd
}

// A login is how okru login signs the user in.
type login struct {
	scopes      []string
	redirectURL string
	file        bool
	timeout     time.Duration
}

func (l login) run(ctx context.Context, a *app) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	if s.applicationID == "" {
		return usage("set OKRU_APPLICATION_ID, the number of your application")
	}
	file, ring, err := a.stores(s)
	if err != nil {
		return err
	}
	where := "the keyring"
	if l.file {
		ring, where = nil, fmt.Sprint(file)
	} else if _, err := ring.Load(ctx); err != nil && !errors.Is(err, oauth.ErrCorrupt) { // before the user is asked
		return fmt.Errorf("%w; run okru login --file to store the session in a file", err)
	}
	t, err := l.signIn(ctx, a, s)
	if err != nil {
		return err
	}
	err = save(ctx, file, ring, t)
	if err != nil {
		return err
	}
	name, err := nameOf(ctx, a, s, t)
	if err != nil {
		return fmt.Errorf("the session is stored in %s, but does not work: %w", where, err)
	}
	fmt.Fprintf(a.stdout, "Signed in as %s. The session is stored in %s.\n", name, where)
	return nil
}

func (l login) signIn(ctx context.Context, a *app, s settings) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	return oauth.Loopback{
		ClientID:     s.applicationID,
		ClientSecret: s.applicationSecret,
		RedirectURL:  l.redirectURL,
		Scopes:       l.scopes,
		HTTPClient:   s.oauthClient(a),
		Open: func(page string) error {
			page = s.rebase(page)
			fmt.Fprintf(a.stderr, "Sign in on this page, on this machine:\n%s\n", page)
			a.openPage(page)
			return nil
		},
	}.Token(ctx)
}

// openPage shows a page in the browser. If that fails, the user opens it: its
// address is printed.
func (a *app) openPage(page string) {
	if a.open != nil {
		a.open(page)
		return
	}
	name, args := "xdg-open", []string{page}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", page}
	}
	_ = exec.Command(name, args...).Run()
}

// save stores the session in the keyring or, if ring is nil, in the file. One
// in the other place would be out of date.
func save(ctx context.Context, file, ring store, t *oauth2.Token) error {
	return locked(ctx, file, func(ctx context.Context) error {
		if ring == nil {
			return file.Save(ctx, t)
		}
		if err := ring.Save(ctx, t); err != nil {
			return err
		}
		return file.Delete(ctx)
	})
}

// nameOf returns the name of the user of a new session.
func nameOf(ctx context.Context, a *app, s settings, t *oauth2.Token) (string, error) {
	client, err := s.client(a, oauth.Static(t.AccessToken, oauth.SessionSecret(t)))
	if err != nil {
		return "", err
	}
	user, err := okru.Call[struct{ UID, Name string }](ctx, client, "users.getCurrentUser", nil)
	return fmt.Sprintf("%s (%s)", printable(user.Name), user.UID), err
}

func (a *app) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "logout",
		Short: "Delete the session that okru login has stored",
		Long: `Logout deletes the session of the application OKRU_APPLICATION_KEY from the
keyring or the file. OK does not get to know: the session stays valid until it
expires or the user withdraws the consent on ok.ru.`,
		Example: `  okru logout`,
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.settings()
			if err != nil {
				return err
			}
			file, ring, err := a.stores(s)
			if err != nil {
				return err
			}
			return locked(cmd.Context(), file, func(ctx context.Context) error {
				return errors.Join(file.Delete(ctx), ring.Delete(ctx))
			})
		},
	}
}

// rebase returns a page of OK's as OKRU_API_URL has it: a fake serves the pages
// of connect.ok.ru as well.
func (s settings) rebase(page string) string {
	if rest, ok := strings.CutPrefix(page, "https://connect.ok.ru/"); ok && s.api != nil {
		return s.api.String() + "/" + rest
	}
	return page
}

// oauthClient returns a client for the token endpoint, which is a part of the
// service of OKRU_API_URL.
func (s settings) oauthClient(a *app) *http.Client {
	base := a.base
	if base == nil {
		base = http.DefaultTransport
	}
	return &http.Client{Transport: redirected{base, s.api}, Timeout: 30 * time.Second}
}

// redirected sends requests for api.ok.ru to another service.
type redirected struct {
	base http.RoundTripper
	api  *url.URL // nil: api.ok.ru itself
}

func (t redirected) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.api == nil || r.URL.Host != "api.ok.ru" {
		return t.base.RoundTrip(r)
	}
	moved := r.Clone(r.Context())
	moved.URL.Scheme, moved.URL.Host, moved.Host = t.api.Scheme, t.api.Host, ""
	resp, err := t.base.RoundTrip(moved)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}
