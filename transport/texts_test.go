package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// How settings and layers print, in package fmt and as JSON: without what is
// secret.
func TestTextsOfSettingsAndLayers(t *testing.T) {
	s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", Circuit: transport.ServerServer, Hosts: []string{"api.ok.ru"}}
	const (
		signerText = `transport.Signer{ApplicationKey:"KEY" ApplicationSecret:"[redacted]" TokenSource:"false" Circuit:"ServerServer" Hosts:"[api.ok.ru]"}`
		groupText  = `transport.Group{Token:"[redacted]" Hosts:"[]"}`
		retryText  = `transport.Retry(*http.Transport)`
	)
	for _, test := range []struct {
		value any
		want  string
	}{
		{s, signerText},
		{s.Wrap(nil), signerText},
		{signer(), `transport.Signer{ApplicationKey:"KEY" ApplicationSecret:"[redacted]" TokenSource:"true" Circuit:"Auto" Hosts:"[]"}`},
		{transport.Group{Token: "tkn1group"}, groupText},
		{transport.Group{Token: "tkn1group"}.Wrap(nil), groupText},
		{transport.Retry{}.Wrap(nil), retryText},
		{transport.Circuit(-1), "Circuit(-1)"},
	} {
		if got := fmt.Sprint(test.value); got != test.want {
			t.Errorf("a %T prints %s\nwant %s", test.value, got, test.want)
		}
	}
	for _, test := range []struct {
		value any
		want  string
	}{
		{s, `{"ApplicationKey":"KEY","ApplicationSecret":"[redacted]","Circuit":"ServerServer","Hosts":"[api.ok.ru]","TokenSource":"false"}`},
		{transport.Group{Token: "tkn1group"}, `{"Hosts":"[]","Token":"[redacted]"}`},
		{transport.Retry{}.Wrap(nil), `"` + retryText + `"`},
	} {
		if got, err := json.Marshal(test.value); err != nil || string(got) != test.want {
			t.Errorf("a %T is as JSON %s, %v\nwant %s", test.value, got, err, test.want)
		}
	}
}

// What the texts say to do if a setting is wrong. Check returns the same text.
func TestTextsOfSettings(t *testing.T) {
	for _, test := range []struct {
		settings interface {
			Check() error
			Wrap(http.RoundTripper) http.RoundTripper
		}
		want string
	}{
		{transport.Signer{}, "okru: ApplicationKey is empty; set it to the public key of your application"},
		{transport.Signer{ApplicationKey: "K", Circuit: 7}, "okru: Circuit is 7; use one of transport's constants, Auto to Unsigned"},
		{transport.Signer{ApplicationKey: "K", TokenSource: (*oauth.Source)(nil)}, "okru: TokenSource is a nil *oauth.Source; leave it out for calls without a session"},
		{transport.Signer{ApplicationKey: "K "}, "okru: ApplicationKey begins or ends with white space; remove it"},
		{transport.Signer{ApplicationKey: "K", ApplicationSecret: " S"}, "okru: ApplicationSecret begins or ends with white space; remove it"},
		{transport.Retry{Client: &retryablehttp.Client{Logger: (*log.Logger)(nil)}}, "okru: Retry.Client.Logger is a nil *log.Logger; set it to nil itself for no log"},
		{transport.Retry{Client: &retryablehttp.Client{Logger: 1}}, "okru: Retry.Client.Logger is a int; use a retryablehttp.Logger, such as a *log.Logger, or a retryablehttp.LeveledLogger"},
	} {
		_, err := test.settings.Wrap(nil).RoundTrip(get("method=a.b"))
		if err == nil || err.Error() != test.want {
			t.Errorf("the error is %v\nwant %s", err, test.want)
		}
		if err := test.settings.Check(); err == nil || err.Error() != test.want {
			t.Errorf("Check returns %v\nwant %s", err, test.want)
		}
	}
	group := transport.Group{Token: "tkn1group\n"}
	const want = "okru: GroupToken begins or ends with white space; remove it"
	if err := group.Check(); err == nil || err.Error() != want {
		t.Errorf("Check returns %v\nwant %s", err, want)
	}
}

// What the texts say to do if a call is rejected before it is sent.
func TestTextsOfRejectedCalls(t *testing.T) {
	session := (&oauth2.Token{AccessToken: "token-1"}).WithExtra(map[string]any{"session_secret_key": "session-secret"})
	with := func(edit func(*transport.Signer)) transport.Signer {
		s := signer()
		edit(&s)
		return s
	}
	in := func(r *http.Request, edit func(context.Context) context.Context) *http.Request {
		return r.WithContext(edit(r.Context()))
	}
	of := func(token *oauth2.Token) func(context.Context) context.Context {
		return func(ctx context.Context) context.Context { return transport.WithToken(ctx, token) }
	}
	on := func(c transport.Circuit) func(context.Context) context.Context {
		return func(ctx context.Context) context.Context { return transport.WithCircuit(ctx, c) }
	}
	compressed, broken := post("", "method=a.b"), post("", "method=a.b")
	compressed.Header.Set("Content-Encoding", "gzip")
	broken.Body = io.NopCloser(iotest.ErrReader(errBroken))
	bare := transport.Signer{ApplicationKey: "KEY"}
	secretless := with(func(s *transport.Signer) { s.ApplicationSecret = "" })
	called := in(newGet(t, t.Context(), "https://other.example/fb.do"), func(ctx context.Context) context.Context {
		return okcall.With(ctx, func(o *okcall.Options) { o.Caller = new(okcall.Caller) })
	})
	for _, test := range []struct {
		signer transport.Signer
		r      *http.Request
		want   string
	}{
		{signer(), get("method=a.b;c"), "query: a semicolon in a query or a form means different things to different servers; write it as %3B"},
		{signer(), post("", "method=a.b&text=%zz"), `form: parameter "text" has a bad percent-escape; escape its value with url.QueryEscape`},
		{signer(), post("", "method=a.b&%zz=1"), "form: a parameter's name has a bad percent-escape; escape it with url.QueryEscape"},
		{signer(), get("method=a.b&uids=1&uids=2"), `duplicate parameter "uids"; send a list as one value joined by commas`},
		{signer(), get("method=a.b&application_key=OTHER"), "the call has another application_key than its Signer; leave it out"},
		{signer(), get("method=a.b&client_secret=x"), `parameter "client_secret" is a secret and must not be sent; give it to the Signer or the token`},
		{signer(), get("method=a.b&session_key=x"), "the call has a parameter session_key that is not the session which it would use; leave it out, and set the session of a call by transport.WithToken"},
		{signer(), compressed, "a form with a Content-Encoding cannot be signed; send it as it is"},
		{signer(), broken, "the form cannot be read: connection broken"},
		{signer(), post("", "text="+strings.Repeat("x", 10<<20)), "the form is longer than 10 MiB; upload files to the URL that a getUploadUrl method returns"},
		{signer(), in(get("method=a.b"), on(9)), "WithCircuit(9): there is no such circuit"},
		{bare, get("method=a.b"), "nothing to sign with: set TokenSource for calls with a session, or ApplicationSecret for calls without"},
		{bare, in(get("method=a.b"), on(transport.Sessionless)), "circuit Sessionless signs with the application secret: set ApplicationSecret"},
		{bare, in(get("method=a.b"), on(transport.ClientServer)), "circuit ClientServer signs calls of a session, and there is none: set TokenSource, or use WithToken"},
		{secretless, in(get("method=a.b"), on(transport.ServerServer)), "circuit ServerServer signs with the application secret: set ApplicationSecret"},
		{signer(), in(in(get("method=a.b"), on(transport.ClientServer)), of(&oauth2.Token{AccessToken: "a"})), "circuit ClientServer signs with the session secret, and the token has none: it is the token's extra session_secret_key, see oauth.Static"},
		{bare, in(get("method=a.b"), of(&oauth2.Token{AccessToken: "a"})), "nothing to sign with: set ApplicationSecret, or use a token with its extra session_secret_key, see oauth.Static"},
		{signer(), in(get("method=a.b"), of(&oauth2.Token{AccessToken: "a "})), "the access token of the session begins or ends with white space; remove it"},
		{signer(), in(get("method=a.b"), of(session.WithExtra(map[string]any{"session_secret_key": " s"}))), "the session secret, the token's extra session_secret_key, begins or ends with white space; remove it"},
		{signer(), in(get("method=a.b"), of(nil)), "no session: WithToken was given a nil token; for a call without a session use WithCircuit(ctx, Sessionless)"},
		{signer(), in(get("method=a.b"), of(new(oauth2.Token))), "no session: the access token is empty"},
		{signer(), in(get("method=a.b"), func(ctx context.Context) context.Context { return transport.WithTokenSource(ctx, nil) }),
			"no session: WithTokenSource was given a nil token source; for a call without a session use WithCircuit(ctx, Sessionless)"},
		{with(func(s *transport.Signer) {
			s.TokenSource = sourceFunc(func() (*oauth2.Token, error) { return nil, nil })
		}), get("method=a.b"),
			"no session: the token source returned neither a token nor an error"},
		{with(func(s *transport.Signer) {
			s.TokenSource = sourceFunc(func() (*oauth2.Token, error) { return nil, errBroken })
		}), get("method=a.b"),
			"no session: connection broken"},
		{with(func(s *transport.Signer) {
			s.TokenSource = sourceFunc(func() (*oauth2.Token, error) {
				return nil, &oauth2.RetrieveError{Response: &http.Response{StatusCode: 400}, ErrorCode: "invalid_grant", Body: []byte("CANARY")}
			})
		}), get("method=a.b"), "no session: oauth2: cannot fetch token: status 400: invalid_grant"},
		{with(func(s *transport.Signer) {
			s.TokenSource = sourceFunc(func() (*oauth2.Token, error) { return nil, &oauth2.RetrieveError{ErrorCode: "x"} })
		}), get("method=a.b"), "no session: oauth2: cannot fetch token: x"},
		{with(func(s *transport.Signer) {
			s.TokenSource = sourceFunc(func() (*oauth2.Token, error) {
				return nil, &oauth2.RetrieveError{Response: &http.Response{StatusCode: 502}}
			})
		}), get("method=a.b"), "no session: oauth2: cannot fetch token: status 502"},
		{signer(), called, "the call was sent to other.example, which is not one of Hosts (api.ok.ru): either a RoundTripper above the transport.Signer or transport.Group has no Unwrap method by which Hosts are found, see transport.Chain, or the call was redirected"},
	} {
		err := rejects(t, test.signer, test.r)
		if err == nil || err.Error() != "okru: "+test.want {
			t.Errorf("the error is  %v\nwant okru: %s", err, test.want)
		}
	}
}

// What the texts say to do if a Graph call is rejected before it is sent.
func TestTextsOfRejectedGraphCalls(t *testing.T) {
	const url = "https://api.ok.ru/graph/me/chats"
	withToken := func(r *http.Request, token string) *http.Request {
		return r.WithContext(transport.WithGroupToken(r.Context(), token))
	}
	for _, test := range []struct {
		r    *http.Request
		want string
	}{
		{withToken(newGet(t, t.Context(), url), ""), "a Graph call needs the token of a group's bot: set GroupToken, or use transport.WithGroupToken"},
		{withToken(newGet(t, t.Context(), url), "t "), "the group token begins or ends with white space; remove it"},
		{newGet(t, t.Context(), url+"?a=%zz"), "query: it has a bad percent-escape or a raw semicolon"},
		{newGet(t, t.Context(), url+"?access_token=x"), "the URL of a Graph call has a token, which errors and logs would show; leave it out, and set GroupToken or use transport.WithGroupToken"},
		{newGet(t, t.Context(), url+"?count=1&count=2"), `query: duplicate parameter "count"; send a list as one value joined by commas`},
	} {
		_, err := transport.Group{Token: "tkn1group"}.Wrap(nil).RoundTrip(test.r)
		if err == nil || err.Error() != "okru: "+test.want {
			t.Errorf("the error is  %v\nwant okru: %s", err, test.want)
		}
	}
}

// What the texts say about calls that have failed below the layers.
func TestTextsOfFailedCalls(t *testing.T) {
	reading := post("method=users.getInfo", "uids=1")
	reading.GetBody = func() (io.ReadCloser, error) { return nil, io.ErrUnexpectedEOF }
	stuck := transport.Func(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	})
	for _, test := range []struct {
		rt   http.RoundTripper
		r    *http.Request
		want string
	}{
		{quick.Wrap(&script{outcomes: []outcome{failure(errBroken)}}), reading, "okru: not repeated, GetBody failed (unexpected EOF): connection broken"},
		{transport.Retry{Max: -1, AttemptTimeout: time.Nanosecond}.Wrap(stuck), get("method=users.getInfo"), "okru: no response within the AttemptTimeout of 1ns"},
		{transport.Chain(stuck, transport.Retry{Max: -1, AttemptTimeout: time.Nanosecond}.Wrap, signer().Wrap), get("method=users.getInfo"), "okru: no response within the AttemptTimeout of 1ns"},
		{transport.Chain(nil, func(http.RoundTripper) http.RoundTripper { return nil }), get("method=users.getInfo"),
			"okru: a Middleware returned nil instead of a RoundTripper; return next to add nothing"},
		{signer().Wrap(&script{outcomes: []outcome{failure(errors.New("http2: Transport: cannot retry err"))}}), post("", "method=users.setStatus"),
			"http2: Transport: cannot retry err; a write by GET, or with an Idempotency-Key, is sent only once, see transport.Signer: send writes by POST, without such a header"},
		{signer().Wrap(&script{outcomes: []outcome{failure(errBroken)}}), post("", "method=users.setStatus"), "connection broken"},
	} {
		if _, err := test.rt.RoundTrip(test.r); err == nil || err.Error() != test.want {
			t.Errorf("the error is %v\nwant %s", err, test.want)
		}
	}
	if got, want := transport.ErrBudget.Error(), "okru: not repeated, the retry budget of this client is spent"; got != want {
		t.Errorf("ErrBudget is %q, want %q", got, want)
	}
}

// A panic of a token source is an error of the call, which says where it was.
func TestTextOfAPanic(t *testing.T) {
	s := signer()
	s.TokenSource = sourceFunc(func() (*oauth2.Token, error) { panic("boom") })
	_, err := s.Wrap(nil).RoundTrip(get("method=users.getInfo"))
	if want := "okru: no session: the token source: panic: boom\n"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("the error is %v, want %q at its beginning", err, want)
	}
}
