package transport_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// rejects reports a fault of t unless a layer of s returns a Terminal error for
// r, with all words, and sends nothing.
func rejects(t *testing.T, s transport.Signer, r *http.Request, words ...string) error {
	t.Helper()
	sent := 0
	resp, err := s.Wrap(transport.Func(func(*http.Request) (*http.Response, error) {
		sent++
		return nil, errBroken
	})).RoundTrip(r)
	if err == nil || resp != nil || sent > 0 {
		t.Errorf("%s: sent %d times, response %v, error %v", r.URL, sent, resp, err)
		return nil
	}
	var final interface{ Terminal() bool }
	if !errors.As(err, &final) || !final.Terminal() {
		t.Errorf("%s: %v is not Terminal", r.URL, err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%s: error %q does not mention %q", r.URL, err, word)
		}
	}
	return err
}

// A session among the parameters that is not that of the call would make a
// ported program act as another user.
func TestSessionOfAnotherUserIsRejected(t *testing.T) {
	const theirs = "tkn1canaryofanotheruser"
	server := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret"}
	withSession := server
	withSession.TokenSource = oauth.Static("token-1", "session-secret")
	unsigned := withSession
	unsigned.Circuit = transport.Unsigned
	for _, s := range []transport.Signer{server, withSession, unsigned} {
		for _, name := range []string{"access_token", "session_key", "session%5Fkey"} {
			for _, r := range []*http.Request{
				get("method=users.setStatus&" + name + "=" + theirs),
				get(name + "=token-1&method=users.setStatus&" + name + "=" + theirs),
				post("", "method=users.setStatus&"+name+"="+theirs),
				post("method=users.setStatus&"+name+"="+theirs, "status=x"),
				get("method=users.setStatus&" + name + "=Token-1"),
				newGet(t, t.Context(), "https://api.ok.ru/api/users/setStatus?"+name+"="+theirs),
			} {
				err := rejects(t, s, r, strings.ReplaceAll(name, "%5F", "_"), "WithToken")
				canary.Check(t, err, theirs)
			}
		}
	}
	// An empty one is no session either.
	rejects(t, withSession, get("method=users.setStatus&access_token="), "WithToken")
}

// One that equals the session of the call is not sent twice, also where the
// context sets the session, and the repeat after a renewal has the new one.
func TestOwnSessionAmongTheParameters(t *testing.T) {
	for _, query := range []string{"access_token=token-0", "session_key=token-0", "session_key=token%2D0&access_token=token-0"} {
		a := &api{responses: []string{apiError(102, "PARAM_SESSION_EXPIRED : x"), "true"}}
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: new(renewable)}
		if _, err := s.Wrap(a).RoundTrip(get("method=users.getInfo&" + query)); err != nil || strings.Join(a.tokens, " ") != "token-0 token-1" {
			t.Errorf("%s: sent %q, error %v", query, a.tokens, err)
		}
	}
	anna := get("method=users.getInfo&access_token=anna")
	anna = anna.WithContext(transport.WithToken(anna.Context(), &oauth2.Token{AccessToken: "anna"}))
	if _, query, _ := sent(t, signer(), anna); query.Get("access_token") != "anna" || query.Get("sig") == "" {
		t.Errorf("sent %v", query)
	}
}

// A path that begins like that of a call and is not one is a spelling mistake.
func TestMisspelledPathsAreRejected(t *testing.T) {
	for path, meant := range map[string]string{
		"/api/users.getInfo?uids=1":   "/api/users/getInfo",
		"/api/users/getInfo/":         "/api/users/getInfo",
		"/api//users/getInfo":         "/api/users/getInfo",
		"//api/users/getInfo":         "/api/users/getInfo",
		"/API/users/getInfo":          "/api/users/getInfo",
		"/api/users%2FgetInfo":        "/api/users/getInfo",
		"/api/users/get%49nfo":        "/api/users/getInfo",
		"/fb.do/":                     "/fb.do",
		"/FB.DO?method=users.getInfo": "/fb.do",
		"//fb.do":                     "/fb.do",
		"/fb%2Edo":                    "/fb.do",
		"/api/users":                  "/api/GROUP/NAME",
		"/api":                        "/api/GROUP/NAME",
		"/api/":                       "/api/GROUP/NAME",
		"/api/users/getInfo/more":     "/api/GROUP/NAME",
		"/api/a.b.c":                  "/api/GROUP/NAME",
		"/fb.do/users.getInfo":        "/api/GROUP/NAME",
		"/graph":                      "/api/GROUP/NAME",
		"/Graph/me/chats":             "/graph/me/chats",
		"//graph/me/chats":            "/graph/me/chats",
	} {
		for _, verb := range []string{"GET", "POST", "PUT"} {
			r := newGet(t, t.Context(), "https://api.ok.ru"+path)
			r.Method = verb
			rejects(t, signer(), r, "write", meant)
		}
	}
}

// A Signer that does not know the hosts of the API sends nothing: it would send
// calls without a session.
func TestSignerWithoutHostsSendsNothing(t *testing.T) {
	for _, host := range []string{"https://api.ok.ru", "api.ok.ru/fb.do", "", "[::1", "api.ok.ru:", "user@api.ok.ru", "a b"} {
		s := signer()
		s.Hosts = []string{"gateway.example", host}
		for _, target := range []string{"https://gateway.example/fb.do?method=a.b", "https://api.ok.ru/fb.do?method=a.b", "https://other.example/x"} {
			rejects(t, s, newGet(t, t.Context(), target), "Hosts")
		}
		if s.Check() == nil {
			t.Errorf("Check of host %q finds nothing", host)
		}
	}
}

// What okru.Call sends goes to the API or nowhere.
func TestMarkedRequestToAnotherHostIsRejected(t *testing.T) {
	s := signer()
	s.Hosts = []string{"gateway.example", "127.0.0.1:8080"}
	for target, isCall := range map[string]bool{
		"https://gateway.example/fb.do":           true,
		"http://127.0.0.1:8080/api/users/getInfo": true,
		"https://api.ok.ru/fb.do":                 false,
		"http://127.0.0.1:8081/fb.do":             false,
		"https://gateway.example/login":           false,
		"https://other.example/":                  false,
	} {
		r := newGet(t, okcall.With(t.Context(), func(o *okcall.Options) { o.Caller = new(okcall.Caller) }), target)
		if !isCall {
			rejects(t, s, r, r.URL.Host, "gateway.example", "Unwrap")
		} else if _, query, _ := sent(t, s, r); query.Get("sig") == "" {
			t.Errorf("%s is not signed", target)
		}
	}
}
