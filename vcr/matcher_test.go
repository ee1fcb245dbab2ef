package okvcr_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"

	okvcr "github.com/go-okru/okru/vcr"
)

const api = "https://api.ok.ru/fb.do"

func TestMatcher(t *testing.T) {
	type request struct{ method, url, kind, body string }
	get := func(query string) request { return request{http.MethodGet, api + "?" + query, "", ""} }
	post := func(body string) request { return request{http.MethodPost, api, form, body} }
	send := func(kind, body string) request { return request{http.MethodPost, api, kind, body} }
	for name, test := range map[string]struct {
		live, recorded request
		want           bool
	}{
		"same":                  {get("method=a.b"), get("method=a.b"), true},
		"other session":         {get("method=a.b&sig=1&access_token=2"), get("method=a.b&sig=3&access_token=%5Bredacted%5D"), true},
		"signed and not":        {get("method=a.b&sig=1"), get("method=a.b"), true},
		"other application":     {post("method=a.b&application_key=1"), post("method=a.b&application_key=2"), true},
		"other order":           {post("a=1&method=a.b"), post("method=a.b&a=1"), true},
		"other spelling":        {post("a=b%20c"), post("a=b+c"), true},
		"query and form":        {get("method=a.b"), post("method=a.b"), false},
		"other value":           {post("uids=1"), post("uids=2"), false},
		"no value":              {post("uids=1"), post(""), false},
		"twice":                 {post("a=1&a=1"), post("a=1"), false},
		"other host":            {get("a=b"), request{http.MethodGet, "https://connect.ok.ru/fb.do?a=b", "", ""}, false},
		"other path":            {request{http.MethodGet, "https://api.ok.ru/api/a/b", "", ""}, request{http.MethodGet, "https://api.ok.ru/api/a/c", "", ""}, false},
		"plain http":            {get("a=b"), request{http.MethodGet, "http://api.ok.ru/fb.do?a=b", "", ""}, false},
		"GET as the zero value": {request{"", api, "", ""}, request{http.MethodGet, api, "", ""}, true},
		"secret in JSON":        {send("application/json", `{"token":"1","a":1}`), send("application/json", `{"token":"[redacted]","a":1}`), true},
		"other JSON":            {send("application/json", `{"a":1}`), send("application/json", `{"a":2}`), false},
		"in a parameter":        {post(`session_data={"auth_token":"1","v":2}`), post(`session_data={"auth_token":"2","v":2}`), true},
		"other in a parameter":  {post(`session_data={"auth_token":"1","v":2}`), post(`session_data={"auth_token":"1","v":3}`), false},
		"other boundary":        {send("multipart/form-data; boundary=B", part("a", "b")), send("multipart/form-data; boundary=C", strings.ReplaceAll(part("a", "b"), "--B", "--C")), true},
		"other part":            {send("multipart/form-data; boundary=B", part("a", "b")), send("multipart/form-data; boundary=B", part("a", "c")), false},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequest(test.live.method, test.live.url, io.NopCloser(strings.NewReader(test.live.body)))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", test.live.kind)
			recorded := cassette.Request{Method: test.recorded.method, URL: test.recorded.url, Body: test.recorded.body,
				Headers: http.Header{"Content-Type": {test.recorded.kind}}}
			for range 2 { // a recorder asks about each interaction
				if got := okvcr.Matcher(r, recorded); got != test.want {
					t.Errorf("Matcher(%v, %v) = %v", test.live, test.recorded, got)
				}
			}
			if body, err := io.ReadAll(r.Body); string(body) != test.live.body || err != nil {
				t.Errorf("the body is now %q, %v", body, err)
			}
		})
	}
}
