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
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

const (
	canaryToken   = "canary-token-1a2b3c"
	canarySession = "canary-session-secret-4d5e"
	canaryApp     = "canary-application-secret-6f"
)

var canaries = []string{canaryToken, canarySession, canaryApp, transport.DeriveSecret(canaryToken, canaryApp)}

func canarySigner() transport.Signer {
	return transport.Signer{ApplicationKey: "KEY", ApplicationSecret: canaryApp, TokenSource: oauth.Static(canaryToken, canarySession)}
}

func TestSettingsAndLayersPrintNoSecret(t *testing.T) {
	s := canarySigner()
	rt := s.Wrap(transport.Func(func(*http.Request) (*http.Response, error) { return nil, errors.New("down") }))
	rt.RoundTrip(get("method=a.b")) // fills the cache of keys
	ctx := transport.WithToken(t.Context(), &oauth2.Token{AccessToken: canaryToken})
	for _, v := range []any{s, &s, rt, transport.Retry{}.Wrap(rt), http.Client{Transport: rt}, &http.Client{Transport: rt}, ctx,
		transport.WithTokenSource(ctx, oauth.Static(canaryToken, canarySession)), s.TokenSource} {
		canary.Check(t, v, canaries...)
	}
}

// What a caller can print of a call: its error, its response and its
// request.
func TestCallsPrintNoSecret(t *testing.T) {
	echo := func(r *http.Request) string {
		b := []byte(r.URL.RawQuery)
		if r.Body != nil {
			form, _ := io.ReadAll(r.Body)
			b = append(b, form...)
		}
		return string(b)
	}
	for name, base := range map[string]transport.Func{
		"transport error": func(*http.Request) (*http.Response, error) { return nil, errors.New("connection reset") },
		"API error that echoes": func(r *http.Request) (*http.Response, error) {
			text := fmt.Sprintf(`{"error_code":104,"error_msg":"PARAM_SIGNATURE : %s and %s","error_data":%q,"error_field":%q}`, echo(r), canaryToken, canarySession, canaryApp)
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
		},
		"redirect that echoes": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 302, Header: http.Header{"Location": {"https://[broken/?" + echo(r)}}, Body: http.NoBody, Request: r}, nil
		},
		"success": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{}`)), Request: r}, nil
		},
	} {
		for _, r := range []*http.Request{get("method=users.setStatus&sig=x"), post("", "method=users.setStatus")} {
			c := &http.Client{Transport: okerrors.Decode(transport.Retry{}.Wrap(canarySigner().Wrap(base)))}
			var sig string
			s := canarySigner()
			s.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
				_, sig, _ = strings.Cut(echo(r), "&sig=")
				sig, _, _ = strings.Cut(sig, "&")
				return nil, errors.New("enough")
			})).RoundTrip(r.Clone(r.Context()))
			if len(sig) != 32 {
				t.Fatalf("sig is %q", sig)
			}
			if r.GetBody != nil {
				r.Body, _ = r.GetBody()
			}
			t.Run(name+"/"+r.Method, func(t *testing.T) {
				resp, err := c.Do(r)
				canary.Check(t, err, append(canaries, sig)...)
				if resp != nil {
					resp.Body.Close()
					canary.Check(t, resp.Request.URL, append(canaries, sig)...)
					canary.Check(t, resp.Header, append(canaries, sig)...)
				}
				if e, ok := errors.AsType[*okerrors.Error](err); ok {
					canary.Check(t, e, append(canaries, sig)...)
					canary.Check(t, string(e.Data)+e.Field+e.Message, append(canaries, sig)...)
				}
			})
		}
	}
}

// Errors from before a call is sent say what is wrong without its values.
// What a layer below can print of the body that it was given, which is empty,
// and in one piece with the signed request and with what was read of the response.
func TestEmptyBodiesPrintNoSecret(t *testing.T) {
	const response = `{"session_key":"` + canarySession + `"}`
	var sent *http.Request
	rt := canarySigner().Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
		sent = r
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(response))}, nil
	}))
	resp, err := rt.RoundTrip(get("method=users.setStatus"))
	if err != nil || sent.Body == nil {
		t.Fatalf("%v, and the body is %v; want one that makes the call be sent once", err, sent.Body)
	}
	for _, v := range []any{sent.Body, []any{sent.Body}, resp.Body, []any{resp.Body}} {
		canary.Check(t, v, append(canaries, response[:20])...)
	}
	signed, _ := url.ParseQuery(sent.URL.RawQuery)
	canary.Check(t, sent.Body, signed.Get("sig"))
}

func TestRefusalsPrintNoSecret(t *testing.T) {
	for _, query := range []string{
		"method=a.b&application_secret_key=" + canaryApp,
		"method=a.b&session_secret_key=" + canarySession,
		"method=a.b&token=" + canaryToken + "&token=" + canaryToken,
		"method=a.b&token=" + canaryToken + "%zz",
		"method=a.b&token=" + canaryToken + ";",
		"method=a.b&application_key=" + canaryApp,
	} {
		_, err := canarySigner().Wrap(&recorder{}).RoundTrip(get(query))
		if err == nil {
			t.Errorf("%s: no error", query)
		}
		canary.Check(t, err, canaries...)
	}
}

// x/oauth2's own source says in its error all that the token endpoint says.
func TestForeignSourcesPrintNoSecret(t *testing.T) {
	const refresh = "canary-refresh-token"
	page := "<html>Provide OAUTH request parameters! Got client_secret=" + canaryApp + " and " + refresh
	for name, response := range map[string]string{
		"page":        page,
		"code":        `{"error":"invalid_grant","error_description":"of ` + refresh + " and " + canaryApp + `"}`,
		"other error": `{}`,
	} {
		endpoint := &http.Client{Transport: transport.Func(func(r *http.Request) (*http.Response, error) {
			if name == "other error" {
				return nil, errors.New("cannot send client_secret=" + canaryApp)
			}
			return &http.Response{StatusCode: 400, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(response)), Request: r}, nil
		})}
		cfg := oauth2.Config{ClientID: "1", ClientSecret: canaryApp, Endpoint: oauth.Endpoint}
		tokens := cfg.TokenSource(context.WithValue(t.Context(), oauth2.HTTPClient, endpoint), &oauth2.Token{RefreshToken: refresh})
		for source, tokens := range map[string]oauth2.TokenSource{
			"bare": tokens,
			"wrapped": sourceFunc(func() (*oauth2.Token, error) {
				_, err := tokens.Token()
				return nil, fmt.Errorf("user 7: %w", err)
			}),
			"wrapped with another": sourceFunc(func() (*oauth2.Token, error) {
				_, err := tokens.Token()
				return nil, errors.Join(err, &oauth2.RetrieveError{Body: []byte("other " + refresh), Response: &http.Response{StatusCode: 400}})
			}),
		} {
			s := canarySigner()
			s.TokenSource = tokens
			_, err := s.Wrap(&recorder{}).RoundTrip(get("method=a.b"))
			canary.Check(t, err, append(canaries, refresh)...)
			re, ok := errors.AsType[*oauth2.RetrieveError](err)
			joined := source == "wrapped with another" // which is a RetrieveError
			if ok != (name != "other error" || joined) || ok && !joined && (re.ErrorCode == "") != (name == "page") {
				t.Errorf("%s, %s: the cause is lost: %v", name, source, err)
			}
			if ok {
				canary.Check(t, fmt.Sprint(string(re.Body), re.ErrorDescription, re.Error(), re.Response.Request), append(canaries, refresh)...)
			}
			if ok && !strings.Contains(err.Error(), "400") || source == "wrapped" && !strings.Contains(err.Error(), "user 7") {
				t.Errorf("%s, %s: %v", name, source, err)
			}
		}
	}
}
