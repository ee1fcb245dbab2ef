package transport_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/transport"
)

// A layer that replaces Body and ContentLength may leave a GetBody that returns
// the old body. Package net/http sends Body, and so do these layers, at every
// attempt. What they cannot know to be that of Body is not sent at all.
func TestStaleGetBody(t *testing.T) {
	bodies := map[string]func(text string) io.Reader{
		"strings.Reader": func(text string) io.Reader { return strings.NewReader(text) },
		"bytes.Reader":   func(text string) io.Reader { return bytes.NewReader([]byte(text)) },
		"bytes.Buffer":   func(text string) io.Reader { return bytes.NewBufferString(text) },
	}
	firsts := map[string]outcome{
		"success": respondWith(200, "true"), "session": codeResponse(200, 102),
		"throttled": respondWith(429, ""), "broken": failure(errBroken),
	}
	const status = "status=new"
	for kind, body := range bodies {
		for _, old := range []string{"status=a much older one", "x", "status=old"} {
			for _, mime := range []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain"} {
				for first := range firsts {
					if kind == "bytes.Buffer" && len(old) == len(status) {
						continue // a buffer that was read does not show what it had
					}
					name := strings.Join([]string{kind, old, mime, first}, "/")
					r, err := http.NewRequest("POST", "https://api.ok.ru/fb.do?method=users.setStatus", strings.NewReader(old))
					if err != nil {
						t.Fatal(err)
					}
					r.Header.Set("Content-Type", mime)
					r.Body, r.ContentLength = io.NopCloser(body(status)), int64(len(status))
					s := &script{outcomes: []outcome{firsts[first], respondWith(200, "true")}}
					signer := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: new(renewable)}
					rt := transport.Chain(s, transport.Retry{MinDelay: -1}.Wrap, signer.Wrap)
					resp, err := rt.RoundTrip(r.WithContext(transport.WithIdempotent(t.Context(), true)))
					if err == nil {
						resp.Body.Close()
					}
					attempts := 2
					if first == "success" || kind == "bytes.Buffer" && (first != "session" || !strings.HasPrefix(mime, "application")) {
						attempts = 1
					}
					if s.attempts() != attempts {
						t.Errorf("%s: %d attempts, want %d; %v", name, s.attempts(), attempts, err)
					}
					for _, form := range s.forms {
						if v, _ := url.ParseQuery(form); form != status && v.Get("status") != "new" {
							t.Errorf("%s: sent %q", name, s.forms)
						}
					}
				}
			}
		}
	}
}

// The method of a call is that of the form which is sent: otherwise a write
// would be taken for what the old form read, and repeated.
func TestStaleGetBodyHidesNoWrite(t *testing.T) {
	for _, old := range []string{"method=users.getInfo", "method=users.get123456789"} {
		for kind, body := range map[string]io.Reader{
			"strings.Reader": strings.NewReader("method=users.setStatus789"),
			"bytes.Reader":   bytes.NewReader([]byte("method=users.setStatus789")),
		} {
			r := post("", old)
			r.Body, r.ContentLength = io.NopCloser(body), 25
			if got := okcall.Method(r); got != "users.setStatus789" {
				t.Errorf("%s: method is %q", kind, got)
			}
			s := &script{outcomes: []outcome{codeResponse(200, 2)}}
			resp, err := transport.Chain(s, okerrors.Decode, transport.Retry{MinDelay: -1}.Wrap, signer().Wrap).RoundTrip(r)
			if e, ok := err.(*okerrors.Error); !ok || s.attempts() != 1 || e.Method != "users.setStatus789" || resp != nil {
				t.Errorf("%s: %d attempts, %v", kind, s.attempts(), err)
			}
			if !slices.ContainsFunc(s.forms, func(form string) bool { return strings.Contains(form, "users.setStatus789") }) {
				t.Errorf("%s: sent %q", kind, s.forms)
			}
		}
	}
}
