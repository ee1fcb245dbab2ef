package transport_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// renewable is a source that has a new token after each Invalidate.
type renewable struct {
	mu    sync.Mutex
	n     int
	stale []string
	err   error
	stuck bool
}

func (s *renewable) Token() (*oauth2.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n > 0 && s.err != nil {
		return nil, s.err
	}
	return &oauth2.Token{AccessToken: fmt.Sprint("token-", s.n)}, nil
}

func (s *renewable) Invalidate(t *oauth2.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = append(s.stale, t.AccessToken)
	if !s.stuck && t.AccessToken == fmt.Sprint("token-", s.n) {
		s.n++
	}
}

// api answers with bodies in turn, the last one for ever, and keeps the
// sessions and bodies it was sent.
type api struct {
	responses []string
	tokens    []string
	bodies    []string
	open      int
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	query, _ := url.ParseQuery(r.URL.RawQuery)
	token, b := query.Get("access_token"), []byte(nil)
	if r.Body != nil {
		b, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	if form, err := url.ParseQuery(string(b)); err == nil && token == "" {
		token = form.Get("access_token")
	}
	a.tokens, a.bodies = append(a.tokens, token), append(a.bodies, string(b))
	response := a.responses[min(len(a.tokens), len(a.responses))-1]
	a.open++
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: &closer{Reader: strings.NewReader(response), open: &a.open}}, nil
}

type closer struct {
	io.Reader
	open *int
}

func (c *closer) Close() error {
	if c.open != nil {
		*c.open--
		c.open = nil
	}
	return nil
}

func apiError(code int, text string, more ...string) string {
	return fmt.Sprintf(`{"error_code":%d,"error_msg":%q,"error_data":null%s}`, code, text, strings.Join(more, ""))
}

// A response that rejects a session is read and closed before it is returned, be
// there a newer session or not.
func TestRejectionsAreReadIntoMemory(t *testing.T) {
	for _, stuck := range []bool{false, true} {
		a := &api{responses: []string{apiError(102, "PARAM_SESSION_EXPIRED : x")}}
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: &renewable{stuck: stuck}}
		resp, err := s.Wrap(a).RoundTrip(get("method=users.getInfo"))
		if err != nil {
			t.Fatal(err)
		}
		if a.open != 0 {
			t.Errorf("without a newer session %t: %d bodies are open", stuck, a.open)
		}
		if e, ok := okerrors.FromResponse(resp); !ok || e.Code != 102 {
			t.Errorf("without a newer session %t: the error is %v", stuck, e)
		}
		finish(t, resp)
	}
}

// An endless one is given up after a second, and its reader learns why.
func TestEndlessRejectionSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		go io.WriteString(w, apiError(102, "PARAM_SESSION_EXPIRED : x")+" ")
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: &renewable{stuck: true}}
		begin := time.Now()
		resp, err := s.Wrap(transport.Func(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: r}, nil
		})).RoundTrip(get("method=users.getInfo"))
		if took := time.Since(begin); err != nil || took != time.Second {
			t.Fatalf("returned after %v: %v", took, err)
		}
		text, err := io.ReadAll(resp.Body)
		if got := strings.TrimSpace(string(text)); got != apiError(102, "PARAM_SESSION_EXPIRED : x") {
			t.Errorf("the body is %q", got)
		}
		const want = "the response that rejects the session did not end within 1s; its rest was not read"
		if err == nil || !strings.Contains(err.Error(), "okru: "+want) {
			t.Errorf("reading ends with %v, want %q in it", err, want)
		}
		resp.Body.Close()
	})
}

// The error of a call whose user must sign in says so, matches the class of
// rejected sessions, and has the rejection if the call was sent.
func TestTextOfSignIn(t *testing.T) {
	for _, test := range []struct {
		source oauth2.TokenSource
		want   string
		sent   int
	}{
		{sourceFunc(func() (*oauth2.Token, error) { return nil, oauth.ErrSignIn }), "okru: the user must sign in", 0},
		{sourceFunc(func() (*oauth2.Token, error) { return nil, fmt.Errorf("store: %w", oauth.ErrSignIn) }), "okru: no session: store: okru: the user must sign in", 0},
		{&renewable{err: oauth.ErrSignIn}, "okru: the user must sign in (okru: users.getInfo: PARAM_SESSION_EXPIRED (102): x)", 1},
	} {
		a := &api{responses: []string{apiError(102, "PARAM_SESSION_EXPIRED : x")}}
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: test.source}
		resp, err := s.Wrap(a).RoundTrip(get("method=users.getInfo"))
		if err == nil || resp != nil || err.Error() != test.want || len(a.tokens) != test.sent {
			t.Errorf("sent %d times, the error is %v\nwant %s", len(a.tokens), err, test.want)
			continue
		}
		if !errors.Is(err, okerrors.ErrSession) || !errors.Is(err, oauth.ErrSignIn) || errors.Is(err, okerrors.CodeParamSessionExpired) != (test.sent > 0) {
			t.Errorf("%v: ErrSession %t, ErrSignIn %t", err, errors.Is(err, okerrors.ErrSession), errors.Is(err, oauth.ErrSignIn))
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if got := fmt.Sprintf(verb, errors.Unwrap(err)); got != test.want {
				t.Errorf("%s prints %q, want %q", verb, got, test.want)
			}
		}
	}
}

func TestRenewal(t *testing.T) {
	expired := apiError(102, "PARAM_SESSION_EXPIRED : Session expired")
	for _, test := range []struct {
		name   string
		first  string
		tokens string // that reached the API
		code   okerrors.Code
	}{
		{"expired", expired, "token-0 token-1", 0},
		{"invalid", apiError(103, "PARAM_SESSION_KEY : Invalid session key"), "token-0 token-1", 0},
		{"about the session", apiError(100, "PARAM : Invalid parameter session_key"), "token-0 token-1", 0},
		{"field of the session", apiError(100, "PARAM : Invalid", `,"error_field":"session_key"`), "token-0 token-1", 0},
		{"about the caller's parameters", apiError(100, "PARAM : Either session_key or uid must be specified"), "token-0", 100},
		{"another parameter", apiError(100, "PARAM : Missed required parameter: uids"), "token-0", 100},
		{"session required", apiError(453, "SESSION_REQUIRED : x"), "token-0", 453},
		{"wrong signature", apiError(104, "PARAM_SIGNATURE : x"), "token-0", 104},
		{"success", `{"uid":"1"}`, "token-0", 0},
	} {
		for _, kind := range []string{"query", "form", "streamed form", "multipart"} {
			t.Run(test.name+"/"+kind, func(t *testing.T) {
				a := &api{responses: []string{test.first, `{"uid":"1"}`}}
				source, charged := new(renewable), 0
				s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: source,
					BeforeRepeat: func(*http.Request) error { charged++; return nil }}
				r := get("method=users.setStatus&status=x")
				switch kind {
				case "form", "streamed form":
					r = post("", "method=users.setStatus&status=x")
					if kind == "streamed form" {
						r.GetBody = nil
					}
				case "multipart":
					r, _ = http.NewRequest("POST", "https://api.ok.ru/fb.do?method=a.b", bytes.NewReader([]byte("part")))
				}
				resp, err := s.Wrap(a).RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				if resp.Request != r {
					t.Error("the response's Request is not the caller's")
				}
				e, _ := okerrors.FromResponse(resp)
				if e == nil {
					e = new(okerrors.Error)
				}
				if got := strings.Join(a.tokens, " "); got != test.tokens || e.Code != test.code {
					t.Errorf("sent %s, got code %d; want %s and %d", got, e.Code, test.tokens, test.code)
				}
				if charged != len(a.tokens)-1 {
					t.Errorf("%d repeats were charged, %d sent", charged, len(a.tokens)-1)
				}
				if kind == "multipart" && a.bodies[len(a.bodies)-1] != "part" {
					t.Errorf("bodies: %q", a.bodies)
				}
				resp.Body.Close()
				if a.open != 0 {
					t.Errorf("%d responses were left open", a.open)
				}
			})
		}
	}
}

func TestRenewalHappensOnce(t *testing.T) {
	expired := apiError(102, "PARAM_SESSION_EXPIRED : Session expired")
	limited := errors.New("limited")
	for _, test := range []struct {
		name   string
		source *renewable
		before error
		tokens string
		err    error
		stale  string
	}{
		{"rejected again", new(renewable), nil, "token-0 token-1", nil, "token-0 token-1"},
		{"nothing newer", &renewable{stuck: true}, nil, "token-0", nil, "token-0"},
		{"renewal fails", &renewable{err: errors.New("down")}, nil, "token-0", nil, "token-0"},
		{"limiter says no", new(renewable), limited, "token-0", limited, "token-0"},
	} {
		a := &api{responses: []string{expired}}
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: test.source,
			BeforeRepeat: func(*http.Request) error { return test.before }}
		resp, err := s.Wrap(a).RoundTrip(get("method=users.getInfo"))
		if !errors.Is(err, test.err) || (resp == nil) == (err == nil) {
			t.Errorf("%s: %v, %v", test.name, resp, err)
		}
		if resp != nil {
			if b, _ := io.ReadAll(resp.Body); string(b) != expired {
				t.Errorf("%s: the rejecting body is %q", test.name, b)
			}
			resp.Body.Close()
		}
		if got := strings.Join(a.tokens, " "); got != test.tokens || strings.Join(test.source.stale, " ") != test.stale {
			t.Errorf("%s: sent %s, Invalidate was called with %v; want %s and %s", test.name, got, test.source.stale, test.tokens, test.stale)
		}
		if a.open != 0 {
			t.Errorf("%s: %d responses were left open", test.name, a.open)
		}
	}
}

func TestNewKeysAreAdopted(t *testing.T) {
	changed := apiError(107, "PARAM_SESSION_KEY_CHANGED : x", `,"session_key":"new-token","session_secret_key":"new-secret"`)
	a := &api{responses: []string{changed, `true`}}
	s := transport.Signer{ApplicationKey: "KEY", TokenSource: oauth.Static("token-0", "old-secret")}
	rt := s.Wrap(a)
	for range 2 {
		if _, err := rt.RoundTrip(get("method=users.getInfo")); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(a.tokens, " "); got != "token-0 new-token new-token" {
		t.Errorf("sent %s", got)
	}
}

func TestSessionOfOneCallIsNotRenewed(t *testing.T) {
	expired := apiError(102, "PARAM_SESSION_EXPIRED : Session expired")
	a, source := &api{responses: []string{expired}}, new(renewable)
	s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: source}
	rt := s.Wrap(a)
	r := get("method=users.getInfo")
	rt.RoundTrip(r.WithContext(transport.WithToken(r.Context(), &oauth2.Token{AccessToken: "user"})))
	if len(a.tokens) != 1 || len(source.stale) != 0 {
		t.Errorf("sent %v, and the Signer's own source was given %v to invalidate", a.tokens, source.stale)
	}
	own := new(renewable)
	rt.RoundTrip(r.WithContext(transport.WithTokenSource(r.Context(), own)))
	if len(own.stale) != 2 || len(source.stale) != 0 { // the first session and the one after it
		t.Errorf("the call's source was given %v to invalidate, the Signer's %v", own.stale, source.stale)
	}
}
