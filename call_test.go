package okru_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

var app = oktest.App{ID: "512000000001", Key: "CBATESTKEY", Secret: "test application secret"}

// newFake returns a fake, and a configuration that signs in a user of it.
func newFake(t *testing.T) (*oktest.Server, okru.Config) {
	t.Helper()
	fake := oktest.NewServer(app)
	t.Cleanup(fake.Close)
	token := fake.NewUser("alice", "password").Token()
	return fake, okru.Config{
		ApplicationKey:    app.Key,
		ApplicationSecret: app.Secret,
		TokenSource:       oauth.Static(token.AccessToken, oauth.SessionSecret(token)),
		Base:              fake.InProcess(),
	}
}

func newClient(t *testing.T, cfg okru.Config) *http.Client {
	t.Helper()
	c, err := okru.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func call[T any](t *testing.T, response string, want T) {
	t.Helper()
	fake, cfg := newFake(t)
	fake.Handle("test.run", func(url.Values) (any, error) { return json.RawMessage(response), nil })
	got, err := okru.Call[T](t.Context(), newClient(t, cfg), "test.run", nil)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Call[%T] of %q = %#v, %v; want %#v", want, response, got, err, want)
	}
}

func TestCallDecodesEveryKindOfResponse(t *testing.T) {
	type user struct{ UID json.Number }
	call(t, `{"uid":"1"}`, struct{ UID string }{"1"})
	call(t, `{"uid":580000000000000000}`, user{"580000000000000000"})
	call(t, `{"uid":580000000000000001}`, map[string]any{"uid": json.Number("580000000000000001")})
	call(t, `["1","2"]`, []string{"1", "2"})
	call(t, `"64700:3"`, "64700:3")
	call(t, `5`, 5)
	call(t, `580000000000000001`, any(json.Number("580000000000000001")))
	call(t, `true`, true)
	call(t, ` false `, false)
	call(t, `null`, (*user)(nil))
	call(t, `null`, "")
	call(t, `{}`, map[string]string{})
	call(t, `{"error":"mine","error_code":"text"}`, json.RawMessage(`{"error":"mine","error_code":"text"}`))
}

func TestCallEmptyResponse(t *testing.T) {
	for _, blank := range []string{"", "\r\n "} {
		c := &http.Client{Transport: respond(http.StatusOK, "application/json", blank)}
		if got, err := okru.Call[map[string]string](t.Context(), c, "video.update", nil); err != nil || got != nil {
			t.Errorf("a response of %q: %v, %v", blank, got, err)
		}
	}
}

// respond returns a transport that always answers so.
func respond(status int, kind, text string) transport.Func {
	return func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
	}
}

func TestCallFails(t *testing.T) {
	const page = `<html><h1>Bad Gateway</h1>GET /fb.do?access_token=SECRETTOKEN&sig=abcdef</html>`
	for _, test := range []struct {
		name, kind, text string
		status           int
		words            string // in the excerpt
		api              okerrors.Code
	}{
		{"API error", "application/json", `{"error_code":100,"error_msg":"PARAM : x"}`, 200, "", 100},
		{"API error with a status of its own", "application/json", `{"error_code":2,"error_msg":"SERVICE : x"}`, 503, "", 2},
		{"XML error", "application/xml", `<error_response><error_code>101</error_code></error_response>`, 200, "", 101},
		{"page of a proxy", "text/html", page, 502, "Bad Gateway", 0},
		{"page with status 200", "text/html; charset=utf-8", page, 200, "Bad Gateway", 0},
		{"cut JSON", "application/json", `{"uid":"1`, 200, "", 0},
		{"two values", "application/json", `{} {}`, 200, "", 0},
		{"another type", "application/json", `[1,2]`, 200, "", 0},
		{"redirect without a target", "text/plain", "moved", 304, "moved", 0},
		{"long page", "text/html", strings.Repeat("x", 1<<20), 500, "xxx", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &http.Client{Transport: respond(test.status, test.kind, test.text)}
			_, err := okru.Call[struct{ UID string }](t.Context(), c, "users.getInfo", nil)
			if e, ok := errors.AsType[*okerrors.Error](err); ok || test.api != 0 {
				if !ok || e.Code != test.api || e.Method != "users.getInfo" {
					t.Errorf("error is %v, want code %d", err, test.api)
				}
				return
			}
			e, ok := errors.AsType[*okru.AnswerError](err)
			if !ok {
				t.Fatalf("error is %T: %v", err, err)
			}
			if e.Status != test.status || e.Method != "users.getInfo" || !strings.Contains(e.Excerpt, test.words) || len(e.Error()) > 600 {
				t.Errorf("error is %#v", e)
			}
			if strings.Contains(err.Error(), "SECRETTOKEN") || strings.Contains(err.Error(), "abcdef") {
				t.Errorf("error shows what the page echoed: %v", err)
			}
		})
	}
}

func TestCallRejectsBadInput(t *testing.T) {
	sent := 0
	c := &http.Client{Transport: transport.Func(func(*http.Request) (*http.Response, error) { sent++; return nil, io.EOF })}
	params := url.Values{"method": {"users.getOther"}}
	for _, test := range []struct {
		client *http.Client
		method string
		params url.Values
	}{
		{nil, "users.getInfo", nil}, {c, "", nil}, {c, "users", nil}, {c, "users.", nil}, {c, ".get", nil}, {c, "users/getInfo", nil},
		{c, "users..getInfo", nil}, {c, "users.getInfo&x=1", nil}, {c, "users.get info", nil}, {c, "users.getInfo\n", nil}, {c, "users.g\u00e9t", nil},
		{c, "@.`", nil}, {c, "[.{", nil}, {c, "/.:", nil}, {c, "users.getInfo", params},
	} {
		if _, err := okru.Call[any](t.Context(), test.client, test.method, test.params); err == nil || sent > 0 {
			t.Errorf("Call(%q, %v): sent %d times, error %v", test.method, test.params, sent, err)
		}
	}
	if len(params) != 1 {
		t.Errorf("params became %v", params)
	}
	for i, method := range []string{"a.z", "A.Z", "0.9", "users.v2.getInfo"} {
		if _, err := okru.Call[any](t.Context(), c, method, nil); sent != i+1 {
			t.Errorf("Call(%q) is not sent: %v", method, err)
		}
	}
}

// An API error is an error also where it is left in the response.
func TestCallUnderPassErrors(t *testing.T) {
	fake, cfg := newFake(t)
	cfg.PassErrors = true
	fake.Inject(oktest.Fault{Code: okerrors.CodePermissionDenied})
	_, err := okru.Call[any](t.Context(), newClient(t, cfg), "users.getCurrentUser", nil)
	if !errors.Is(err, okerrors.ErrPermission) {
		t.Errorf("error is %v", err)
	}
}

func TestCallSendsForm(t *testing.T) {
	fake, cfg := newFake(t)
	var accept string
	base := cfg.Base
	cfg.Base = transport.Func(func(r *http.Request) (*http.Response, error) {
		accept = r.Header.Get("Accept")
		return base.RoundTrip(r)
	})
	params := url.Values{"uids": {"1"}, "method": {"users.getInfo"}}
	if _, err := okru.Call[any](t.Context(), newClient(t, cfg), "users.getInfo", params); err != nil {
		t.Fatal(err)
	}
	calls := fake.Calls()
	if len(calls) != 1 || calls[0].HTTPMethod != "POST" || len(calls[0].Query) != 0 || calls[0].Circuit != "server" || accept != "application/json" {
		t.Errorf("calls %v, accept %q", calls, accept)
	}
}
