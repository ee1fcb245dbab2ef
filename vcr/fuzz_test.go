package okvcr_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"

	okvcr "github.com/go-okru/okru/vcr"
)

// Whatever a body is, JSON stays JSON, a second pass changes nothing, and a
// secret that JSON or a form names is gone.
func FuzzHook(f *testing.F) {
	for _, seed := range []string{
		`{"access_token":"S3CRET","a":[1,{"sig":5}]}`, `"x=\"y\""`, "sig=a&b=%zz", `{"sig":"[redacted-1]"}`,
		`<input name="fr.token" value="x">`, `{"a":"{\"token\":\"b\"}"}`, `{"url":"https://a.b/?c=d#token=e"}`,
	} {
		f.Add(seed, "S3CRET-VALUE")
	}
	f.Fuzz(func(t *testing.T, body, secret string) {
		for _, kind := range []string{"application/json", form, page} {
			once := clean(t, kind, body)
			if json.Valid([]byte(body)) && kind != form && !json.Valid([]byte(once)) {
				t.Errorf("%s: JSON %q became %q", kind, body, once)
			}
			if twice := clean(t, kind, once); twice != once {
				t.Errorf("%s: %q became %q and then %q", kind, body, once, twice)
			}
		}
		if quoted, _ := json.Marshal(secret); len(secret) > 11 && !strings.Contains(secret, "redacted") {
			text := clean(t, "application/json", `{"a":[{"access_token":`+string(quoted)+`}]}`)
			if text != `{"a":[{"access_token":"[redacted-1]"}]}` {
				t.Errorf("%q became %q", secret, text)
			}
		}
	})
}

func clean(t *testing.T, kind, body string) string {
	t.Helper()
	i := &cassette.Interaction{ID: 1, Response: cassette.Response{Body: body, Headers: http.Header{"Content-Type": {kind}}}}
	if err := okvcr.Hook(i); err != nil {
		t.Fatal(err)
	}
	return i.Response.Body
}
