package transport_test

import (
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"testing"

	"github.com/go-okru/okru/transport"
)

// A ClientTrace of the caller sees the path of its own request, and an interim
// response without what is secret. Its other hooks are called as they are.
func TestClientTraceSeesNoSecret(t *testing.T) {
	for name, test := range map[string]struct {
		wrap   transport.Middleware
		url    string
		secret string
	}{
		"Signer": {signer().Wrap, readURL, "token-1"},
		"Group":  {group().Wrap, chatsURL + "?count=1", groupToken},
	} {
		for _, hooks := range []string{"both", "fields", "interim", "neither"} {
			var fields, links []string
			began := 0
			trace := &httptrace.ClientTrace{GetConn: func(string) { began++ }}
			if hooks == "both" || hooks == "fields" {
				trace.WroteHeaderField = func(key string, value []string) { fields = append(fields, key+"="+strings.Join(value, ",")) }
			}
			if hooks == "both" || hooks == "interim" {
				trace.Got1xxResponse = func(code int, h textproto.MIMEHeader) error {
					links = append(links, h.Get("Link"))
					return errBroken
				}
			}
			var sent *httptrace.ClientTrace
			base := transport.Func(func(r *http.Request) (*http.Response, error) {
				sent = httptrace.ContextClientTrace(r.Context())
				sent.GetConn("api.ok.ru:443")
				if sent.WroteHeaderField != nil {
					sent.WroteHeaderField(":path", []string{r.URL.RequestURI()})
					sent.WroteHeaderField("accept", []string{"a", "b"})
				}
				if sent.Got1xxResponse != nil {
					h := textproto.MIMEHeader{"Link": {"/x?access_token=" + test.secret}}
					if err := sent.Got1xxResponse(103, h); !errors.Is(err, errBroken) || h.Get("Link") != "/x?access_token="+test.secret {
						t.Errorf("%s, %s: Got1xxResponse returns %v, and leaves %v", name, hooks, err, h)
					}
				}
				return respondWith(200, "true").response(r), nil
			})
			r := newGet(t, httptrace.WithClientTrace(t.Context(), trace), test.url)
			resp, err := test.wrap(base).RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			finish(t, resp)
			var wantFields, wantLinks []string
			if trace.WroteHeaderField != nil {
				wantFields = []string{":path=" + r.URL.RequestURI(), "accept=a,b"}
			}
			if trace.Got1xxResponse != nil {
				wantLinks = []string{"/x"}
			}
			if !slices.Equal(fields, wantFields) || !slices.Equal(links, wantLinks) || began != 1 {
				t.Errorf("%s, %s: the hooks see %q and %q, GetConn %d times; want %q and %q", name, hooks, fields, links, began, wantFields, wantLinks)
			}
			if (sent.WroteHeaderField == nil) != (trace.WroteHeaderField == nil) || (sent.Got1xxResponse == nil) != (trace.Got1xxResponse == nil) {
				t.Errorf("%s, %s: a hook was added", name, hooks)
			}
			if hooks == "neither" && sent != trace {
				t.Errorf("%s: a trace that sees no secret was replaced", name)
			}
		}
	}
}
