package oauth_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
)

const secret = "CANARY/secret+1"

// holders are all types of this package that hold a secret.
func holders() map[string]any {
	session := withSecret(&oauth2.Token{AccessToken: secret, RefreshToken: secret}, secret)
	source := oauth.NewSource(oauth.Code{ClientSecret: secret, Code: secret}, oauth.Options{Store: newMemory(session)})
	if _, err := source.Token(); err != nil {
		panic(err)
	}
	holders := map[string]any{
		"Code":      oauth.Code{ClientID: "1", ClientSecret: secret, Code: secret},
		"Refresh":   oauth.Refresh{ClientID: "1", ClientSecret: secret, RefreshToken: secret},
		"Implicit":  oauth.Implicit{ClientID: "1", Login: "anna", Password: secret, State: secret},
		"Password":  oauth.Password{ApplicationKey: "1", ApplicationSecret: secret, Login: "anna", Password: secret},
		"Loopback":  oauth.Loopback{ClientID: "1", ClientSecret: secret},
		"Static":    oauth.Static(secret, secret),
		"Source":    source,
		"FileStore": oauth.FileStore("/home/anna/session.json"),
	}
	holders["*Code"] = &oauth.Code{ClientSecret: secret}
	holders["*Refresh"] = &oauth.Refresh{ClientSecret: secret}
	holders["*Implicit"] = &oauth.Implicit{Password: secret}
	holders["*Password"] = &oauth.Password{Password: secret}
	holders["*Loopback"] = &oauth.Loopback{ClientSecret: secret}
	return holders
}

func TestNothingPrintsASecret(t *testing.T) {
	for name, holder := range holders() {
		t.Run(name, func(t *testing.T) {
			canary.Check(t, holder, secret)
			for name, in := range map[string]any{"in an exported field": struct{ V any }{holder}, "in options": oauth.Options{Store: oauth.FileStore("x")}} {
				t.Run(name, func(t *testing.T) { canary.Check(t, in, secret) })
			}
			if fmt.Sprint(holder) == "" {
				t.Error("nothing is printed at all")
			}
		})
	}
}

// What is printed shows which fields are set.
func TestPrintedSettings(t *testing.T) {
	c := new(http.Client)
	scopes := []string{"A", "B"}
	for _, test := range []struct {
		holder any
		want   string
	}{
		{oauth.Code{ClientID: "512", ClientSecret: secret, RedirectURL: "https://example.org", Code: secret, HTTPClient: c}, `oauth.Code{ClientID:"512" ClientSecret:"[redacted]" RedirectURL:"https://example.org" Code:"[redacted]" HTTPClient:"true"}`},
		{oauth.Code{}, `oauth.Code{ClientID:"" ClientSecret:"" RedirectURL:"" Code:"" HTTPClient:"false"}`},
		{oauth.Refresh{ClientID: "512", ClientSecret: secret, RefreshToken: secret, HTTPClient: c}, `oauth.Refresh{ClientID:"512" ClientSecret:"[redacted]" RefreshToken:"[redacted]" HTTPClient:"true"}`},
		{oauth.Refresh{}, `oauth.Refresh{ClientID:"" ClientSecret:"" RefreshToken:"" HTTPClient:"false"}`},
		{oauth.Implicit{ClientID: "512", Login: "anna", Password: secret, Scopes: scopes, RedirectURL: "https://example.org", State: secret, HTTPClient: c},
			`oauth.Implicit{ClientID:"512" Login:"anna" Password:"[redacted]" Scopes:"[A B]" RedirectURL:"https://example.org" State:"[redacted]" HTTPClient:"true"}`},
		{oauth.Implicit{}, `oauth.Implicit{ClientID:"" Login:"" Password:"" Scopes:"[]" RedirectURL:"" State:"" HTTPClient:"false"}`},
		{oauth.Password{ApplicationKey: "KEY", ApplicationSecret: secret, Login: "anna", Password: secret, HTTPClient: c}, `oauth.Password{ApplicationKey:"KEY" ApplicationSecret:"[redacted]" Login:"anna" Password:"[redacted]" HTTPClient:"true"}`},
		{oauth.Password{}, `oauth.Password{ApplicationKey:"" ApplicationSecret:"" Login:"" Password:"" HTTPClient:"false"}`},
		{oauth.Loopback{ClientID: "512", ClientSecret: secret, RedirectURL: "http://localhost:1/", Scopes: scopes, Open: func(string) error { return nil }, HTTPClient: c},
			`oauth.Loopback{ClientID:"512" ClientSecret:"[redacted]" RedirectURL:"http://localhost:1/" Scopes:"[A B]" Open:"true" HTTPClient:"true"}`},
		{oauth.Loopback{}, `oauth.Loopback{ClientID:"" ClientSecret:"" RedirectURL:"" Scopes:"[]" Open:"false" HTTPClient:"false"}`},
		{oauth.Static(secret, ""), `oauth.Static{AccessToken:"[redacted]" SessionSecret:""}`},
		{oauth.Static(secret, secret), `oauth.Static{AccessToken:"[redacted]" SessionSecret:"[redacted]"}`},
		{oauth.Static("", ""), `oauth.Static{AccessToken:"" SessionSecret:""}`},
		{oauth.NewSource(oauth.Refresh{}, oauth.Options{Early: -1}), `oauth.Source{Grant:"oauth.Refresh" Store:"false" Early:"0s" CoolDown:"5s" Timeout:"30s"}`},
		{oauth.NewSource(nil, oauth.Options{Store: oauth.FileStore("x"), CoolDown: -1, Timeout: time.Second}), `oauth.Source{Grant:"<nil>" Store:"true" Early:"1m0s" CoolDown:"0s" Timeout:"1s"}`},
		{oauth.FileStore("a b"), `oauth.FileStore("a b")`},
	} {
		if got := fmt.Sprintf("%+v", test.holder); got != test.want {
			t.Errorf("%T prints as\n%s, want\n%s", test.holder, got, test.want)
		}
	}
	if v := (oauth.Password{Login: "anna"}).LogValue(); v.Kind() != slog.KindGroup {
		t.Errorf("LogValue is %v, want a group", v)
	}
}

// Every error of every grant, with a server that echoes all it was sent.
func TestNoErrorPrintsASecret(t *testing.T) {
	bodies := []string{
		secret, `{"error":"` + secret + `"}`, `{"error":"invalid_grant","error_description":"` + secret + `"}`,
		`{"error_code":401,"error_msg":"AUTH : ` + secret + `","error_field":"` + secret + `","error_data":"` + secret + `"}`,
		`{"error_code":403,"error_msg":"x","ver_redirect_url":"https://ok.ru/` + secret + `"}`,
		`<html>` + secret + `<form method=post action="https://` + secret + `"><input name=fr.email><input name=fr.password></form>`,
		`{"access_token":"` + secret + `","error":"x","error_description":"CANARY/secret%2B1"}`,
	}
	for _, body := range bodies {
		for _, status := range []int{200, 302, 401} {
			e := &endpoint{status: status, body: body, header: map[string][]string{"Location": {"https://" + secret + "/" + secret + "?" + secret}}}
			c := e.client()
			for name, g := range map[string]oauth.Grant{
				"Code":     oauth.Code{ClientID: "1", ClientSecret: secret, Code: secret, HTTPClient: c},
				"Refresh":  oauth.Refresh{ClientID: "1", ClientSecret: secret, RefreshToken: secret, HTTPClient: c},
				"Implicit": oauth.Implicit{ClientID: "1", Login: "anna", Password: secret, State: secret, HTTPClient: c},
				"Password": oauth.Password{ApplicationKey: "1", ApplicationSecret: secret, Login: "anna", Password: secret, HTTPClient: c},
			} {
				_, err := g.Token(t.Context())
				if err == nil {
					t.Errorf("%s accepts %d %s", name, status, body)
				}
				canary.Check(t, err, secret)
				_, err = oauth.NewSource(g, oauth.Options{}).Token()
				canary.Check(t, err, secret)
			}
		}
	}
	for _, redirect := range []string{"?code=" + secret, "#access_token=" + secret, "?error=" + secret + "&code=" + secret, "?" + secret + "&" + secret, "?code=" + secret + "%zz"} {
		_, _, err := oauth.ParseRedirect(redirect, "state")
		canary.Check(t, err, secret)
	}
	_, err := oauth.UnmarshalToken([]byte(`{"version":1,"access_token":"` + secret + `","expiry":"` + secret + `"}`))
	canary.Check(t, errors.Join(err), secret)
}

// Of an API error, the JSON that quotes the session is replaced, and other JSON is
// not.
func TestForeignAPIErrorKeepsWhatIsClean(t *testing.T) {
	session := token("CANARY-access", "CANARY-refresh", time.Hour)
	g := failing(&okerrors.Error{Code: okerrors.CodeParam, Message: "x", Data: []byte(`{"token":"CANARY-access"}`), Custom: []byte(`{"a":1}`)})
	s := oauth.NewSource(renewing{g}, oauth.Options{})
	s.Replace(nil, session)
	s.Invalidate(session)
	_, err := s.Token()
	e, ok := errors.AsType[*okerrors.Error](err)
	if !ok || string(e.Data) != `"[redacted]"` || string(e.Custom) != `{"a":1}` {
		t.Errorf("the error is %v, with data %s and custom data %s", err, e.Data, e.Custom)
	}
}

// Grants and stores of other packages may return errors that quote the session:
// none reaches a caller, OnError, or code that walks the chain. What the error
// is stays.
func TestForeignErrorsShowNoSecret(t *testing.T) {
	session := withSecret(token("CANARY-access", "CANARY-refresh/+", time.Hour), "CANARY-secret")
	body := []byte(`{"message":"no token CANARY-refresh%2F%2B"}`)
	retrieve := &oauth2.RetrieveError{Response: &http.Response{Status: "400", StatusCode: 400}, Body: body}
	for name, err := range map[string]error{
		"x/oauth2":          retrieve,
		"wrapped":           fmt.Errorf("my grant: %w", retrieve),
		"wrapped, own text": fmt.Errorf("my grant with CANARY-secret: %w", errNetwork),
		"clean around":      &wrapped{"clean", fmt.Errorf("in %s: %w", "CANARY-access", errNetwork)},
		"joined":            errors.Join(errNetwork, fmt.Errorf("token CANARY-access"), retrieve),
		"description":       &oauth2.RetrieveError{ErrorCode: "invalid_grant", ErrorDescription: "bad CANARY-refresh/+"},
		"API error":         &okerrors.Error{Code: okerrors.CodeParam, Message: "bad CANARY-access", Field: "CANARY-secret", Data: []byte(`"CANARY-access"`)},
		"URL":               &url.Error{Op: "Post", URL: "https://x.example/?refresh_token=CANARY-refresh%2F%2B", Err: errNetwork},
	} {
		for _, where := range []string{"grant", "Load", "Lock", "Save"} {
			t.Run(name+" of "+where, func(t *testing.T) {
				var h hooks
				m := newMemory(nil)
				g := failing(err)
				s := oauth.NewSource(renewing{g}, h.options(m))
				s.Replace(nil, session)
				switch where {
				case "Load":
					m.fault(err, nil, nil)
				case "Lock":
					m.fault(nil, nil, err)
				case "Save":
					m.fault(nil, err, nil)
					g.respond = unclocked().respond
				}
				s.Invalidate(session)
				_, got := s.Token()
				secrets := []string{"CANARY-access", "CANARY-refresh/+", "CANARY-secret"}
				if len(h.errs) != 1 || (got == nil) != (where == "Save") {
					t.Fatalf("error is %v, OnError received %d errors", got, len(h.errs))
				}
				for _, shown := range append(h.errs, got) {
					if shown == nil {
						continue
					}
					canary.Check(t, shown, secrets...)
					if errors.Is(err, errNetwork) != errors.Is(shown, errNetwork) || errors.Is(err, okerrors.ErrInvalid) != errors.Is(shown, okerrors.ErrInvalid) {
						t.Errorf("%v is something else than %v", shown, name)
					}
					re, isRetrieve := errors.AsType[*oauth2.RetrieveError](shown)
					if _, was := errors.AsType[*oauth2.RetrieveError](err); was != isRetrieve {
						t.Errorf("%v is a RetrieveError: %v, want %v", shown, isRetrieve, was)
					} else if was {
						canary.Check(t, string(re.Body)+re.Error()+re.ErrorDescription, secrets...)
					}
				}
			})
		}
	}
}

// The response in an error of x/oauth2 may quote a token that the Source does not
// know yet, at the first sign-in. Neither the error nor what it wraps shows it.
func TestFirstSignInShowsNoPage(t *testing.T) {
	const secret = "CANARY-refresh-1"
	for name, response := range map[string]oauth2.RetrieveError{
		"JSON":        {Body: []byte(`{"message":"no such token: ` + secret + `"}`), Response: &http.Response{StatusCode: 400}},
		"page":        {Body: []byte("<html>" + secret), Response: &http.Response{StatusCode: 400, Status: "400 " + secret}},
		"code":        {Body: []byte(secret), ErrorCode: "invalid_request", Response: &http.Response{StatusCode: 400}},
		"description": {Body: []byte(secret), ErrorCode: "invalid_request", ErrorDescription: "no such token: " + secret},
	} {
		for how, err := range map[string]error{
			"bare":    &response,
			"wrapped": fmt.Errorf("user 7: %w", &response),
			"joined":  errors.Join(errNetwork, fmt.Errorf("user 7: %w", &response)),
			"several": fmt.Errorf("user 7: %w, %w", &response, &oauth2.RetrieveError{Body: []byte("other " + secret), Response: &http.Response{StatusCode: 500}}),
		} {
			var h hooks
			_, got := oauth.NewSource(failing(err), h.options(nil)).Token()
			for _, shown := range append(h.errs, got) {
				canary.Check(t, shown, secret)
				re, ok := errors.AsType[*oauth2.RetrieveError](shown)
				if !ok || re.ErrorCode != response.ErrorCode {
					t.Fatalf("%s, %s: the cause is lost: %v", name, how, shown)
				}
				canary.Check(t, fmt.Sprint(string(re.Body), re.Error(), re.ErrorDescription, re.Response.Status), secret)
				if how != "bare" && !strings.Contains(shown.Error(), "user 7") {
					t.Errorf("%s, %s: %v", name, how, shown)
				}
			}
			if len(h.errs) != 1 {
				t.Errorf("%s, %s: OnError received %d errors", name, how, len(h.errs))
			}
		}
	}
}

// Without a secret an error of another package stays what it is.
func TestCleanErrorsStay(t *testing.T) {
	for name, err := range map[string]error{
		"an error":          &wrapped{"clean", errNetwork},
		"of no cause":       &wrapped{"clean", nil},
		"of several causes": fmt.Errorf("%w, %w", &wrapped{"clean", nil}, errNetwork),
		"of a nil cause":    &several{[]error{nil, &wrapped{"clean", nil}}},
	} {
		got := wantErr(t, oauth.NewSource(failing(err), oauth.Options{}), err)
		if clean, ok := errors.AsType[*wrapped](got); !ok || clean.text != "clean" {
			t.Errorf("%s: %v is not the error of the grant", name, got)
		}
	}
	// Nil causes are kept apart from those with a secret.
	session := token("CANARY-access", "", 0)
	s := oauth.NewSource(failing(&several{[]error{nil, fmt.Errorf("CANARY-access: %w", errNetwork)}}), oauth.Options{})
	s.Replace(nil, session)
	s.Invalidate(session)
	canary.Check(t, wantErr(t, s, errNetwork), "CANARY-access")
}

type several struct{ causes []error }

func (e *several) Error() string   { return "several" }
func (e *several) Unwrap() []error { return e.causes }

// Of the error of x/oauth2, code, description and status stay. The body does not.
func TestForeignRetrieveError(t *testing.T) {
	session := token("CANARY-access", "CANARY-refresh", 0)
	for _, response := range []*http.Response{nil, {Status: "400 Bad Request", StatusCode: 400}} {
		err := &oauth2.RetrieveError{Response: response, ErrorCode: "invalid_request", ErrorDescription: "a parameter is missing", Body: []byte(`{"refresh_token":"CANARY-refresh"}`)}
		s := oauth.NewSource(failing(err), oauth.Options{})
		s.Replace(nil, session)
		s.Invalidate(session)
		_, got := s.Token()
		e, ok := errors.AsType[*oauth2.RetrieveError](got)
		if !ok || e.ErrorCode != "invalid_request" || e.ErrorDescription != "a parameter is missing" || e.Body != nil {
			t.Errorf("the error is %#v", got)
			continue
		}
		if want := 0; response != nil && e.Response.StatusCode != 400 || response == nil && e.Response.StatusCode != want {
			t.Errorf("the status is %d", e.Response.StatusCode)
		}
	}
}

// A wrapped error has a text that does not contain that of its cause.
type wrapped struct {
	text  string
	cause error
}

func (e *wrapped) Error() string { return e.text }
func (e *wrapped) Unwrap() error { return e.cause }
