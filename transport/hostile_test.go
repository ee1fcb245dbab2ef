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
	"testing/synctest"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// Layers below that quote the signed URL, and servers that put it into an
// address, do not get it past the Signer.
func TestQuotedURLsAreCleaned(t *testing.T) {
	const token = "tkn1:canary/token+1a2b="
	secrets := []string{token, canaryApp, transport.DeriveSecret(token, canaryApp)}
	s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: canaryApp, TokenSource: oauth.Static(token, "")}
	down := errors.New("down")
	respondWith := func(status int, code, location string) transport.Func {
		return func(r *http.Request) (*http.Response, error) {
			h := http.Header{"Location": {strings.ReplaceAll(location, "QUERY", r.URL.RawQuery)}, "Invocation-Error": {code}}
			h.Set("Refresh", "0; url="+h.Get("Location"))
			return &http.Response{StatusCode: status, Header: h, Body: http.NoBody, Request: r}, nil
		}
	}
	for name, base := range map[string]transport.Func{
		"nested client": func(r *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: fmt.Errorf("giving up on %s: %w", r.URL, down)}
		},
		"redirect":                  respondWith(302, "", "https://elsewhere.example/?QUERY"),
		"redirect with a rejection": respondWith(302, "102", "https://elsewhere.example/?QUERY"),
		"addresses in a success":    respondWith(200, "", "https://elsewhere.example/?QUERY"),
	} {
		resp, err := s.Wrap(base).RoundTrip(get("method=users.getInfo"))
		canary.Check(t, err, secrets...)
		if name == "nested client" && !errors.Is(err, down) {
			t.Errorf("the cause is lost: %v", err)
		}
		if resp != nil {
			for key, values := range resp.Header {
				if strings.Contains(values[0], "sig=") || strings.Contains(values[0], "canary") {
					t.Errorf("%s: %s is %q", name, key, values[0])
				}
			}
		}
	}
	twice := respondWith(302, "", "https://login.example/?return="+url.QueryEscape("https://api.ok.ru/?access_token="+url.QueryEscape(token)))
	resp, err := s.Wrap(twice).RoundTrip(get("method=users.getInfo"))
	if err != nil || resp.Header.Get("Location") != "https://login.example/" {
		t.Errorf("escaped twice: %q, %v", resp.Header.Get("Location"), err)
	}
}

// A rejecting response that does not end delays the renewal by a second at most.
func TestEndlessRefusalIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		base := transport.Func(func(r *http.Request) (*http.Response, error) {
			if sent++; sent > 1 {
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
			}
			body, w := io.Pipe()
			go w.Write([]byte(apiError(102, "PARAM_SESSION_EXPIRED : x")))
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body, Request: r}, nil
		})
		rt := okerrors.Decode(transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: new(renewable)}.Wrap(base))
		start := time.Now()
		if _, err := rt.RoundTrip(get("method=users.getInfo")); err != nil || sent != 2 || time.Since(start) > time.Second {
			t.Errorf("after %v and %d attempts: %v", time.Since(start), sent, err)
		}
	})
}

// A form that a slow client feeds is read no longer than the context lasts.
func TestSlowFormEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body, w := io.Pipe()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		r := post("", "").WithContext(ctx)
		r.Body, r.GetBody, r.ContentLength = body, nil, -1
		start := time.Now()
		_, err := signer().Wrap(&recorder{}).RoundTrip(r)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 100*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		synctest.Wait()
		if _, err := w.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the body was not closed: %v", err)
		}
	})
}

// New keys that could not sign are not adopted: the old ones would be lost.
func TestNewKeysWithoutSecretAreNotAdopted(t *testing.T) {
	a := &api{responses: []string{apiError(107, "PARAM_SESSION_KEY_CHANGED : x", `,"session_key":"new-token"`)}}
	s := transport.Signer{ApplicationKey: "KEY", TokenSource: oauth.Static("token-0", "old-secret")}
	resp, err := s.Wrap(a).RoundTrip(get("method=users.getInfo"))
	if err != nil {
		t.Fatal(err)
	}
	if e, _ := okerrors.FromResponse(resp); e == nil || e.Code != 107 {
		t.Errorf("the response is %v", e)
	}
	if token, _ := s.TokenSource.Token(); token.AccessToken != "token-0" {
		t.Errorf("the session is now %q", token.AccessToken)
	}
}

// Whoever says no to the repeat ends the call: a retry above does not ask again,
// and each body is closed once.
func TestBeforeRepeatIsFinal(t *testing.T) {
	for _, kind := range []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		a := &api{responses: []string{apiError(102, "x")}}
		no := errors.New("no")
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "s", TokenSource: new(renewable), BeforeRepeat: func(*http.Request) error { return no }}
		var bodies tracked
		r := bodies.post(t, t.Context(), "https://api.ok.ru/fb.do?method=users.getInfo", "uids=1")
		r.Header.Set("Content-Type", kind)
		_, err := transport.Chain(a, transport.Retry{}.Wrap, s.Wrap).RoundTrip(r)
		if !errors.Is(err, no) || len(a.tokens) != 1 {
			t.Errorf("%s: %v after %d attempts", kind, err, len(a.tokens))
		}
		bodies.check(t)
	}
}

// Paths of other services that look like the API's are theirs.
func TestOtherServicesAreLeftAlone(t *testing.T) {
	sent := 0
	base := transport.Func(func(r *http.Request) (*http.Response, error) {
		sent++
		return &http.Response{StatusCode: 500, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"error_code":0}`)), Request: r}, nil
	})
	rt := transport.Chain(base, okerrors.Decode, transport.Retry{}.Wrap, signer().Wrap)
	r, _ := http.NewRequest("POST", "https://other.example/api/orders/search", strings.NewReader("{}"))
	if resp, err := rt.RoundTrip(r); err != nil || resp.StatusCode != 500 || sent != 1 {
		t.Errorf("%v, %v, sent %d times", resp, err, sent)
	}
}
