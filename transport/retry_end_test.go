package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
	"github.com/go-okru/okru/transport"
)

// A write that was repeated nevertheless, because the program wants that, may have
// run at its first attempt, however the last one ends.
func TestEarlierAttemptMayHaveRun(t *testing.T) {
	always := transport.Retry{MinDelay: -1, Max: 1, If: func(a transport.Attempt) bool { return a.N == 1 }}
	unsent := opError("dial", syscall.ECONNREFUSED)
	for _, test := range []struct {
		name        string
		first, last outcome
		url         string
		want        bool
	}{
		{"broken, then rejected", failure(errBroken), codeResponse(200, 100), writeURL, true},
		{"broken, then not sent", failure(errBroken), failure(unsent), writeURL, true},
		{"not sent, then rejected", failure(unsent), codeResponse(200, 100), writeURL, false},
		{"not sent twice", failure(unsent), failure(unsent), writeURL, false},
		{"a read, broken, then not sent", failure(errBroken), failure(unsent), readURL, false},
	} {
		caller := new(okcall.Caller)
		ctx := okcall.With(t.Context(), func(o *okcall.Options) { o.Caller = caller })
		base := &script{outcomes: []outcome{test.first, test.last}}
		resp, v, err := always.Wrap(base).(roundtrip.Verdicter).RoundTripVerdict(newGet(t, ctx, test.url))
		if base.attempts() != 2 || !errors.Is(err, test.last.err) {
			t.Errorf("%s: %d attempts, %v", test.name, base.attempts(), err)
		}
		if resp != nil {
			finish(t, resp)
		}
		if err != nil && (errors.Is(err, okerrors.ErrOutcomeUnknown) != test.want || err.Error() != test.last.err.Error()) {
			t.Errorf("%s: ErrOutcomeUnknown is %t: %v", test.name, errors.Is(err, okerrors.ErrOutcomeUnknown), err)
		}
		if err == nil && v.MayHaveRun != test.want || caller.MayHaveRun() != test.want {
			t.Errorf("%s: the verdict is %+v, and the caller learns %t; want %t", test.name, v, caller.MayHaveRun(), test.want)
		}
	}
}

// Where there is no repeat, the log and the hooks of the Client see none.
func TestNoRepeatIsNotLogged(t *testing.T) {
	endless := &script{outcomes: []outcome{failure(errBroken)}}
	bodyless := func(getBody func() (io.ReadCloser, error)) func(*http.Request) {
		return func(r *http.Request) {
			r.Body, r.GetBody = io.NopCloser(strings.NewReader("x")), getBody
		}
	}
	for _, test := range []struct {
		name     string
		outcome  outcome
		edit     func(*http.Request)
		attempts int
	}{
		{"Max", failure(errBroken), func(*http.Request) {}, 4},
		{"no GetBody", failure(errBroken), bodyless(nil), 1},
		{"GetBody fails", failure(errBroken), bodyless(func() (io.ReadCloser, error) { return nil, errBroken }), 1},
		{"too long a pause", respondWith(429, "", "Retry-After", "3600"), func(*http.Request) {}, 1},
		{"a final status", respondWith(404, ""), func(*http.Request) {}, 1},
	} {
		seen := 0
		client := &retryablehttp.Client{RetryMax: 3, RequestLogHook: func(retryablehttp.Logger, *http.Request, int) { seen++ }}
		base := &script{outcomes: []outcome{test.outcome}}
		r := newGet(t, t.Context(), readURL)
		test.edit(r)
		resp, err := transport.Retry{MinDelay: -1, MaxDelay: 1, Client: client}.Wrap(base).RoundTrip(r)
		if err == nil {
			finish(t, resp)
		}
		if base.attempts() != test.attempts || seen != test.attempts {
			t.Errorf("%s: %d attempts, of which the hook saw %d; want %d", test.name, base.attempts(), seen, test.attempts)
		}
	}

	seen := 0
	client := &retryablehttp.Client{RetryMax: 3, RequestLogHook: func(retryablehttp.Logger, *http.Request, int) { seen++ }}
	rt := transport.Retry{MinDelay: -1, Client: client}.Wrap(endless)
	for range 100 { // the budget has 200 repeats
		_, _ = rt.RoundTrip(newGet(t, t.Context(), readURL))
	}
	if seen != endless.attempts() {
		t.Errorf("without a budget: %d attempts, of which the hook saw %d", endless.attempts(), seen)
	}
}

// A call whose context ends in OnRetry, just before the repeat, is not repeated and
// not counted as one.
func TestContextEndsJustBeforeTheRepeat(t *testing.T) {
	for range 100 { // the pause of no time ends together with the context
		ctx, cancel := context.WithCancel(t.Context())
		var n atomic.Int32
		base := &script{outcomes: []outcome{failure(errBroken)}}
		retry := transport.Retry{MinDelay: -1, OnRetry: func(transport.Attempt) { cancel() }}
		_, err := retry.Wrap(base).RoundTrip(newGet(t, transport.WithAttempts(ctx, &n), readURL))
		if base.attempts() != 1 || n.Load() != 1 || !errors.Is(err, context.Canceled) {
			t.Fatalf("%d attempts, %d counted: %v", base.attempts(), n.Load(), err)
		}
	}
}

// What a layer rejects it closes, whatever the body is.
func TestBodiesOfRejectedRequestsAreClosed(t *testing.T) {
	noSession := signer()
	noSession.TokenSource = sourceFunc(func() (*oauth2.Token, error) { return nil, errBroken })
	for name, test := range map[string]struct {
		rt  http.RoundTripper
		url string
	}{
		"wrong settings of a Signer": {transport.Signer{}.Wrap(nil), writeURL},
		"a misspelled path":          {signer().Wrap(nil), "https://api.ok.ru/fb.do/"},
		"a duplicate parameter":      {signer().Wrap(nil), writeURL + "&a=1&a=2"},
		"no session":                 {noSession.Wrap(nil), writeURL},
		"a Graph call without token": {transport.Group{}.Wrap(nil), chatsURL},
		"a misspelled Graph path":    {group().Wrap(nil), "https://api.ok.ru//graph/me"},
		"wrong settings of a Retry":  {transport.Retry{Client: &retryablehttp.Client{Logger: 1}}.Wrap(nil), writeURL},
		"no RoundTripper":            {transport.Chain(nil, func(http.RoundTripper) http.RoundTripper { return nil }), writeURL},
	} {
		open := 1
		r, _ := http.NewRequest("POST", test.url, &closer{Reader: strings.NewReader("--x--"), open: &open})
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		if _, err := test.rt.RoundTrip(r); err == nil || open != 0 {
			t.Errorf("%s: the body is open: %t; %v", name, open != 0, err)
		}
	}
	open := 1
	form := post("", "")
	form.Body = &closer{Reader: strings.NewReader("method=a.b"), open: &open}
	form.Header.Set("Content-Encoding", "gzip")
	if _, err := signer().Wrap(nil).RoundTrip(form); err == nil || open != 0 {
		t.Errorf("a compressed form: the body is open: %t; %v", open != 0, err)
	}
}

// An okru.Call or okru.Graph learns from the layer that sends it how to redact its
// secrets.
func TestCallerLearnsToRedact(t *testing.T) {
	for name, test := range map[string]struct {
		wrap transport.Middleware
		url  string
		text string
		want string
	}{
		"Signer": {signer().Wrap, readURL, "token-1 and app-secret", "[redacted] and [redacted]"},
		"Group":  {group().Wrap, chatsURL, "token " + groupToken, "token [redacted]"},
	} {
		caller := new(okcall.Caller)
		ctx := okcall.With(t.Context(), func(o *okcall.Options) { o.Caller = caller })
		resp, err := test.wrap(&script{outcomes: []outcome{respondWith(200, "true")}}).RoundTrip(newGet(t, ctx, test.url))
		if err != nil {
			t.Fatal(err)
		}
		if finish(t, resp); !caller.IsSigned() || caller.Redact(test.text) != test.want {
			t.Errorf("%s: signed %t, redacts to %q", name, caller.IsSigned(), caller.Redact(test.text))
		}
	}
}

// Each layer returns the verdict about a call, whatever is between it and the
// Signer.
func TestLayersReturnTheVerdict(t *testing.T) {
	for name, test := range map[string]struct {
		stack []transport.Middleware
		url   string
	}{
		"Retry":                         {[]transport.Middleware{quick.Wrap}, readURL},
		"Retry over Signer":             {[]transport.Middleware{quick.Wrap, signer().Wrap}, readURL},
		"Retry over another and Signer": {[]transport.Middleware{quick.Wrap, foreign, signer().Wrap}, readURL},
		"Group":                         {[]transport.Middleware{group().Wrap}, chatsURL},
		"Signer over Group":             {[]transport.Middleware{signer().Wrap, group().Wrap}, chatsURL},
	} {
		for _, code := range []okerrors.Code{0, okerrors.CodeParam} {
			body := "[1]"
			if code != 0 {
				body = apiError(int(code), "PARAM : x")
			}
			rt := transport.Chain(&script{outcomes: []outcome{respondWith(200, body)}}, test.stack...).(roundtrip.Verdicter)
			resp, v, err := rt.RoundTripVerdict(newGet(t, t.Context(), test.url))
			if err != nil {
				t.Fatal(err)
			}
			e, _ := v.Err.(*okerrors.Error)
			if finish(t, resp); !v.Inspected || (e == nil) != (code == 0) || e != nil && e.Code != code {
				t.Errorf("%s, code %d: the verdict is %+v", name, code, v)
			}
		}
	}
}
