package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// Wrong settings and broken code below make an error before anything is sent,
// or the error of the call, and no panic. The words are in the error.
func TestSignerMisuse(t *testing.T) {
	var noSource *oauth.Source
	with := func(edit func(*transport.Signer)) transport.Signer {
		s := signer()
		edit(&s)
		return s
	}
	none := func(ctx context.Context) context.Context { return ctx }
	for _, test := range []struct {
		name   string
		signer transport.Signer
		ctx    func(context.Context) context.Context
		words  string // of the error; empty: the call succeeds
		check  bool   // Check returns the error as well
	}{
		{"zero Signer", transport.Signer{}, none, "ApplicationKey", true},
		{"typed nil source", with(func(s *transport.Signer) { s.TokenSource = noSource }), none, "TokenSource is a nil *oauth.Source", true},
		{"typed nil of a func", with(func(s *transport.Signer) { s.TokenSource = sourceFunc(nil) }), none, "TokenSource is a nil", true},
		{"typed nil source of a call", signer(), func(ctx context.Context) context.Context { return transport.WithTokenSource(ctx, noSource) }, "WithTokenSource was given a nil", false},
		{"nil source of a call", signer(), func(ctx context.Context) context.Context { return transport.WithTokenSource(ctx, nil) }, "WithTokenSource was given a nil", false},
		{"nil token of a call", signer(), func(ctx context.Context) context.Context { return transport.WithToken(ctx, nil) }, "WithToken was given a nil", false},
		{"empty token of a call", signer(), func(ctx context.Context) context.Context { return transport.WithToken(ctx, new(oauth2.Token)) }, "access token is empty", false},
		{"source of nothing", with(func(s *transport.Signer) {
			s.TokenSource = sourceFunc(func() (*oauth2.Token, error) { return nil, nil })
		}), none, "neither a token nor an error", false},
		{"Circuit 5", with(func(s *transport.Signer) { s.Circuit = 5 }), none, "Circuit is 5", true},
		{"Circuit -1", with(func(s *transport.Signer) { s.Circuit = -1 }), none, "Circuit is -1", true},
		{"Circuit 5 of a call", signer(), func(ctx context.Context) context.Context { return transport.WithCircuit(ctx, 5) }, "WithCircuit(5)", false},
		{"Hosts [::1", with(func(s *transport.Signer) { s.Hosts = []string{"[::1"} }), none, `"[::1"`, true},
		{"Hosts empty string", with(func(s *transport.Signer) { s.Hosts = []string{""} }), none, `""`, true},
		{"no fault", signer(), none, "", false},
	} {
		var base recorder
		resp, err := test.signer.Wrap(&base).RoundTrip(get("method=users.getInfo").WithContext(test.ctx(t.Context())))
		var final interface{ Terminal() bool }
		switch {
		case test.words == "":
			if err != nil || resp == nil || base.got == nil {
				t.Errorf("%s: %v", test.name, err)
			}
		case err == nil || base.got != nil || resp != nil || !strings.Contains(err.Error(), test.words) || !errors.As(err, &final) || !final.Terminal():
			t.Errorf("%s: sent %t, error %v", test.name, base.got != nil, err)
		}
		if err := test.signer.Check(); (err != nil) != test.check || err != nil && !strings.Contains(err.Error(), test.words) {
			t.Errorf("%s: Check returns %v", test.name, err)
		}
	}
}

// If it is not known which hosts are those of the API, nothing is sent to any.
func TestUnknownHostsSendNothing(t *testing.T) {
	var base recorder
	rt := transport.Signer{ApplicationKey: "KEY", Hosts: []string{"[::1"}}.Wrap(&base)
	for _, target := range []string{"https://api.ok.ru/fb.do?method=a.b", "https://[::1]/fb.do?method=a.b", "https://elsewhere.example/"} {
		if _, err := rt.RoundTrip(newGet(t, t.Context(), target)); err == nil || base.got != nil {
			t.Errorf("%s: error %v, sent %t", target, err, base.got != nil)
		}
	}
}

// What RoundTrippers below and Middlewares must not return is an error of the
// call.
func TestBrokenRoundTripperBelow(t *testing.T) {
	nothing := transport.Func(func(*http.Request) (*http.Response, error) { return nil, nil })
	for name, rt := range map[string]http.RoundTripper{
		"Signer":         signer().Wrap(nothing),
		"Retry":          transport.Retry{MinDelay: -1}.Wrap(nothing),
		"Decode":         okerrors.Decode(nothing),
		"a stack":        transport.Chain(nothing, okerrors.Decode, transport.Retry{MinDelay: -1}.Wrap, signer().Wrap),
		"nil by Chain":   transport.Chain(nil, func(http.RoundTripper) http.RoundTripper { return nil }),
		"nil further up": transport.Chain(nil, signer().Wrap, func(http.RoundTripper) http.RoundTripper { return nil }),
	} {
		for _, r := range []*http.Request{get("method=users.getInfo"), post("", "method=users.setStatus"), newGet(t, t.Context(), "https://elsewhere.example.invalid/")} {
			if resp, err := rt.RoundTrip(r); err == nil || resp != nil {
				t.Errorf("%s, %s: %v, %v", name, r.URL.Host, resp, err)
			}
		}
	}
	var base recorder
	if resp, err := transport.Chain(&base, nil, signer().Wrap, nil).RoundTrip(get("method=users.getInfo")); err != nil || resp == nil || !base.got.URL.Query().Has("sig") {
		t.Errorf("nil Middlewares: %v, %v", resp, err)
	}
}

// A body that cannot be sent again leaves the rejection of the session to the
// caller.
func TestRejectedSessionAndABodyThatCannotRepeat(t *testing.T) {
	for name, getBody := range map[string]func() (io.ReadCloser, error){
		"none":   nil,
		"nil":    func() (io.ReadCloser, error) { return nil, nil },
		"failed": func() (io.ReadCloser, error) { return nil, errBroken },
	} {
		s := &script{outcomes: []outcome{codeResponse(200, 102)}}
		r, _ := http.NewRequest("POST", "https://api.ok.ru/fb.do?method=photos.edit", io.NopCloser(strings.NewReader("part")))
		r.GetBody = getBody
		source := new(renewable)
		resp, err := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "s", TokenSource: source}.Wrap(s).RoundTrip(r)
		if err != nil || s.attempts() != 1 || len(source.stale) != 1 {
			t.Errorf("%s: %d attempts, %v", name, s.attempts(), err)
			continue
		}
		if e, failed := okerrors.FromResponse(resp); !failed || e.Code != 102 {
			t.Errorf("%s: the response has %v", name, e)
		}
		if finish(t, resp); s.open != 0 {
			t.Errorf("%s: %d bodies are open", name, s.open)
		}
	}
}

// One token signs with another secret on each circuit, in any order.
func TestKeysAreOfOneCircuit(t *testing.T) {
	token := (&oauth2.Token{AccessToken: "token-1"}).WithExtra(map[string]any{"session_secret_key": "session-secret"})
	secrets := map[transport.Circuit]string{transport.Auto: wantSecret, transport.ServerServer: wantSecret, transport.ClientServer: "session-secret", transport.Sessionless: "app-secret"}
	var query url.Values
	rt := signer().Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
		query = r.URL.Query()
		return respondWith(200, "true").response(r), nil
	}))
	for range 3 {
		for circuit, secret := range secrets {
			ctx := transport.WithCircuit(transport.WithToken(t.Context(), token), circuit)
			if _, err := rt.RoundTrip(get("method=users.getInfo").WithContext(ctx)); err != nil || query.Get("sig") != naive(query, secret) {
				t.Errorf("%v: sent %v, %v", circuit, query, err)
			}
		}
	}
}

// Options of a call that are about something else leave the circuit of the
// Signer.
func TestOtherOptionsKeepTheCircuit(t *testing.T) {
	for name, with := range map[string]func(context.Context) context.Context{
		"WithIdempotent": func(ctx context.Context) context.Context { return transport.WithIdempotent(ctx, true) },
		"WithToken": func(ctx context.Context) context.Context {
			return transport.WithToken(ctx, (&oauth2.Token{AccessToken: "token-1"}).WithExtra(map[string]any{"session_secret_key": "session-secret"}))
		},
		"WithTokenSource": func(ctx context.Context) context.Context {
			return transport.WithTokenSource(ctx, oauth.Static("token-1", "session-secret"))
		},
		"Retry": func(ctx context.Context) context.Context { return ctx },
	} {
		for circuit, secret := range map[transport.Circuit]string{transport.ClientServer: "session-secret", transport.Sessionless: "app-secret", transport.Unsigned: ""} {
			var query url.Values
			s := signer()
			s.Circuit = circuit
			rt := transport.Chain(transport.Func(func(r *http.Request) (*http.Response, error) {
				query = r.URL.Query()
				return respondWith(200, "true").response(r), nil
			}), transport.Retry{}.Wrap, s.Wrap)
			_, err := rt.RoundTrip(get("method=users.getInfo").WithContext(with(t.Context())))
			want := ""
			if secret != "" {
				want = naive(query, secret)
			}
			if err != nil || query.Get("sig") != want || query.Has("access_token") != (circuit == transport.ClientServer) {
				t.Errorf("%s: on %v sent %v, %v", name, circuit, query, err)
			}
		}
	}
}

// The form of a call is read and closed, whether or not its context can end,
// and whether or not it can be read.
func TestFormIsClosed(t *testing.T) {
	ending, cancel := context.WithCancel(t.Context())
	defer cancel()
	for name, ctx := range map[string]context.Context{"endless": context.WithoutCancel(t.Context()), "ending": ending} {
		for kind, body := range map[string]io.Reader{
			"streamed": strings.NewReader("method=a.b"), "broken": errReader{}, "long": io.LimitReader(zeros{}, 11<<20),
		} {
			closes := make(chan struct{}, 9)
			r, _ := http.NewRequestWithContext(ctx, "POST", "https://api.ok.ru/fb.do", &countedBody{io.NopCloser(body), func() { closes <- struct{}{} }})
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			_, err := signer().Wrap(new(recorder)).RoundTrip(r)
			if (err == nil) != (kind == "streamed") || len(closes) != 1 {
				t.Errorf("%s, %s: %d Closes, error %v", name, kind, len(closes), err)
			}
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// An error of x/oauth2 is shown by what cannot be a secret, and is found.
func TestErrorsOfForeignSources(t *testing.T) {
	for _, test := range []struct {
		err         *oauth2.RetrieveError
		words, hide string
	}{
		{&oauth2.RetrieveError{ErrorCode: "invalid_grant", Body: []byte("refresh_token=hidden")}, "invalid_grant", "hidden"},
		{&oauth2.RetrieveError{Body: []byte("refresh_token=hidden")}, "cannot fetch token", "hidden"},
		{&oauth2.RetrieveError{Response: &http.Response{StatusCode: 418}, Body: []byte("refresh_token=hidden")}, "418", "hidden"},
		{&oauth2.RetrieveError{Response: &http.Response{StatusCode: 400}, ErrorCode: "invalid_client", Body: []byte("client_secret=hidden")}, "400: invalid_client", "hidden"},
	} {
		if test.err.Response == nil && len(test.err.ErrorCode) == 0 { // its own Error panics without a Response
			continue
		}
		s := signer()
		s.TokenSource = sourceFunc(func() (*oauth2.Token, error) { return nil, fmt.Errorf("token source: %w", test.err) })
		_, err := s.Wrap(new(recorder)).RoundTrip(get("method=users.getInfo"))
		found, ok := errors.AsType[*oauth2.RetrieveError](err)
		if err == nil || !strings.Contains(err.Error(), test.words) || strings.Contains(err.Error(), test.hide) || !ok || found.ErrorCode != test.err.ErrorCode {
			t.Errorf("%q: the error is %v, found %v", test.words, err, found)
		}
	}
}

// An error of the transport that quotes the request shows none of its secrets,
// wherever they were: not the signature of a form either.
func TestSignatureIsNotInErrors(t *testing.T) {
	for name, r := range map[string]*http.Request{
		"query": get("method=a.b"), "form": post("", "method=a.b"), "both": post("method=a.b", "text=1"),
	} {
		var text, sig string
		rt := signer().Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			text = r.URL.RawQuery
			if r.Body != nil && r.GetBody != nil {
				b, _ := io.ReadAll(r.Body)
				text += "&" + string(b)
			}
			sent, _ := url.ParseQuery(text)
			sig = sent.Get("sig")
			return nil, fmt.Errorf("cannot send %s with signature %s", text, sig)
		}))
		_, err := rt.RoundTrip(r)
		if err == nil || len(sig) != 32 || strings.Contains(err.Error(), sig) || strings.Contains(err.Error(), "token-1") {
			t.Errorf("%s: sig %q is in %v", name, sig, err)
		}
	}
}

// White space around a key, a secret or a session is named before anything is
// sent. The API would report a wrong signature, or an invalid session.
func TestWhiteSpaceIsRejected(t *testing.T) {
	source := func(access, secret string) oauth2.TokenSource {
		token := (&oauth2.Token{AccessToken: access}).WithExtra(map[string]any{"session_secret_key": secret})
		return sourceFunc(func() (*oauth2.Token, error) { return token, nil })
	}
	for _, space := range []string{"\n", " ", "\t", "\r\n", "\u00a0", "\u3000"} {
		for _, place := range []func(string) string{
			func(s string) string { return s + space }, func(s string) string { return space + s }, func(string) string { return space },
		} {
			for _, test := range []struct {
				name  string
				edit  func(*transport.Signer)
				token *oauth2.Token
				check bool
			}{
				{"ApplicationKey", func(s *transport.Signer) { s.ApplicationKey = place("KEY") }, nil, true},
				{"ApplicationSecret", func(s *transport.Signer) { s.ApplicationSecret = place("app-secret") }, nil, true},
				{"access token", func(s *transport.Signer) { s.TokenSource = source(place("token-1"), "") }, nil, false},
				{"session secret", func(s *transport.Signer) { s.TokenSource = source("token-1", place("session-secret")) }, nil, false},
				{"session_secret_key", func(s *transport.Signer) {
					s.TokenSource, s.ApplicationSecret = source("token-1", place("session-secret")), ""
				}, nil, false},
				{"access token", func(*transport.Signer) {}, &oauth2.Token{AccessToken: place("token-1")}, false},
			} {
				s := signer()
				test.edit(&s)
				ctx := t.Context()
				if test.token != nil {
					ctx = transport.WithToken(ctx, test.token)
				}
				for range 2 { // also when the session is known
					var base recorder
					_, err := s.Wrap(&base).RoundTrip(get("method=users.getInfo").WithContext(ctx))
					if err == nil || base.got != nil || !strings.Contains(err.Error(), test.name) || !strings.Contains(err.Error(), "white space") {
						t.Errorf("%s, %q: sent %t, error %v", test.name, space, base.got != nil, err)
					}
				}
				if err := s.Check(); (err != nil) != test.check || err != nil && !strings.Contains(err.Error(), test.name+" begins or ends") {
					t.Errorf("%s, %q: Check returns %v", test.name, space, err)
				}
			}
		}
	}
}
