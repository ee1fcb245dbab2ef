package transport_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// A recorder is a base RoundTripper that keeps the request it got.
type recorder struct{ got *http.Request }

func (rec *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	rec.got = r
	w := httptest.NewRecorder()
	w.WriteString(`{}`)
	return w.Result(), nil
}

// The worked examples in the documentation of aiookru, as whole URLs.
func TestSignerDocumentedURLs(t *testing.T) {
	const token = "-s-84W-s3egarWUsbkq-IWTucuedzTKT8VUXIA.s4Xx8IW7"
	for _, test := range []struct {
		name, secret string
		source       oauth2.TokenSource
		want         string
	}{
		{"server circuit", "ABC123DEF456GHI789JKL123", oauth.Static(token, ""),
			"https://api.ok.ru/fb.do?application_key=ABCDEFGHIGKLMNOPK&format=json&method=events.get&sig=232c8eb921951c4dba9b72606f9ddb4c&access_token=" + token},
		{"client circuit", "", oauth.Static(token, "ae5362b5b588cc7294c2414d71b74d5d"),
			"https://api.ok.ru/fb.do?application_key=ABCDEFGHIGKLMNOPK&format=json&method=events.get&sig=03a41413523ea8092507949d6e711963&access_token=" + token},
	} {
		t.Run(test.name, func(t *testing.T) {
			var base recorder
			s := transport.Signer{ApplicationKey: "ABCDEFGHIGKLMNOPK", ApplicationSecret: test.secret, TokenSource: test.source}
			c := &http.Client{Transport: s.Wrap(&base)}
			resp, err := c.Get("https://api.ok.ru/fb.do?method=events.get")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if got := base.got.URL.String(); got != test.want {
				t.Errorf("request URL\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}
	base := transport.Func(func(*http.Request) (*http.Response, error) { return resp, nil })
	s := transport.Signer{ApplicationKey: "ABCDEFGHIGKLMNOPK", ApplicationSecret: "secret", TokenSource: oauth.Static("-s-84W-s3egarWUsbkq-IWTucuedzTKT8VUXIA.s4Xx8IW7", "")}
	rt := s.Wrap(base)
	r, _ := http.NewRequest("GET", "https://api.ok.ru/fb.do?method=users.getInfo&uids=1,2,3&fields=uid,name&format=json", nil)
	b.ReportAllocs()
	for b.Loop() {
		rt.RoundTrip(r)
	}
}
