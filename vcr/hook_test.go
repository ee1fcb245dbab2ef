package okvcr_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"

	okvcr "github.com/go-okru/okru/vcr"
)

const form, page = "application/x-www-form-urlencoded", "text/html"

// Each body of a response, and what is left of it.
func TestBodies(t *testing.T) {
	for name, test := range map[string]struct{ kind, body, want string }{
		"fields":          {"", `{"access_token" : "S3CRET/1", "token_type":"session", "n":1.50}`, `{"access_token" : "[redacted-7]", "token_type":"session", "n":1.50}`},
		"deep":            {"", `{"auth_login_response":{"session_key":"S3CRET/1","uid":"5"}}`, `{"auth_login_response":{"session_key":"[redacted-7]","uid":"5"}}`},
		"list of secrets": {"", `{"tokens":["a",{"b":["c"]},null,true]}`, `{"tokens":["[redacted-7]",{"b":["[redacted-7]"]},null,true]}`},
		"number":          {"", `[{"session_secret_key": 123456 , "code":5}]`, `[{"session_secret_key": 0 , "code":5}]`},
		"escaped":         {"", `{"access\u005ftoken":"S3CRET\/1","x":"\u0430"}`, `{"access\u005ftoken":"[redacted-7]","x":"\u0430"}`},
		"JSON in JSON":    {"", `{"data":"{\"sig\":\"S3CRET\"}"}`, `{"data":"{\"sig\":\"[redacted-7]\"}"}`},
		"URL in JSON":     {"", `{"upload_url":"https://x.ok.ru/u?apiToken=S3CRET&id=1"}`, `{"upload_url":"https://x.ok.ru/u?apiToken=%5Bredacted-7%5D&id=1"}`},
		"scalar":          {"", ` "570000000001"`, ` "570000000001"`},
		"empty":           {"", "", ""},
		"quoted":          {"", `{"sig":"S3CRET","error_msg":"PARAM : S3CRET"}`, `{"sig":"[redacted-7]","error_msg":"PARAM : [redacted]"}`},
		"quoted earlier":  {"", `{"error_msg":"not S3CRET%2F1","session_key":"S3CRET/1"}`, `{"error_msg":"not [redacted]","session_key":"[redacted-7]"}`},
		"quoted in other spellings": {"", `{"error_msg":"not S3CRET%252F1, S3CRET&#x2F;1 or \"S3CRET\\u002f1\"","session_key":"S3CRET/1"}`,
			`{"error_msg":"not [redacted], [redacted] or \"[redacted]\"","session_key":"[redacted-7]"}`},
		"mark of bytes":    {"", "\ufeff" + `{"sig":"x"}`, "\ufeff" + `{"sig":"[redacted-7]"}`},
		"cut":              {"", `{"a":1,"session_secret_key":123456,"refresh_token":"S3CRET\/1","sess`, `{"a":1,"session_secret_key":[redacted-7],"refresh_token":"[redacted-7]","sess`},
		"form":             {form, "sig=S3CRET&a=b+c;&access_token=%zz&bare", "sig=%5Bredacted-7%5D&a=b+c;&access_token=%5Bredacted-7%5D&bare"},
		"form as text":     {"", "access_token=S3CRET&expires=5", "access_token=[redacted-7]&expires=5"},
		"XML":              {"", `<r xmlns="x"><ns2:session_key>S3CRET</ns2:session_key><code>5</code></r>`, `<r xmlns="x"><ns2:session_key>[redacted-7]</ns2:session_key><code>5</code></r>`},
		"hidden input":     {page, `<input type=hidden name="fr.token" value='S3CRET'><input name="a" value="b">`, `<input type=hidden name="fr.token" value="[redacted-7]"><input name="a" value="b">`},
		"value first":      {page, `<INPUT VALUE="S3CRET" NAME="fr.token"/>`, `<INPUT VALUE="[redacted-7]" NAME="fr.token"/>`},
		"meta":             {page, `<meta name="csrf-token" content="S3CRET">`, `<meta name="csrf-token" content="[redacted-7]">`},
		"script":           {page, `<script>var token = 'S3CRET'; x({"session_key": "S3CRET2"})</script>`, `<script>var token = '[redacted-7]'; x({"session_key": "[redacted-7]"})</script>`},
		"link":             {page, `<a href="/x?a=b&amp;session_secret_key=S3CRET&amp;c=d">`, `<a href="/x?a=b&amp;session_secret_key=[redacted-7]&amp;c=d">`},
		"link in a link":   {page, `<a href="/x?to=%2Fy%3Faccess_token%3DS3CRET%252F1%26c%3Dd">`, `<a href="/x?to=%2Fy%3Faccess_token%3D[redacted-7]%26c%3Dd">`},
		"multipart":        {"multipart/form-data; boundary=B", part("access_token", "S3CRET") + part("a", "b"), part("access_token", "[redacted-7]") + part("a", "b")},
		"nothing to do":    {page, "<p>Friends: 5 = 2 + 3; see https://ok.ru/?a=b</p>", "<p>Friends: 5 = 2 + 3; see https://ok.ru/?a=b</p>"},
		"bytes of a photo": {"image/jpeg", "\xff\xd8\xff\x00=\xfe", "\xff\xd8\xff\x00=\xfe"},
	} {
		t.Run(name, func(t *testing.T) {
			i := &cassette.Interaction{ID: 7, Response: cassette.Response{Body: test.body, Headers: http.Header{"Content-Type": {test.kind}}}}
			for range 2 { // the second time it stays
				if err := okvcr.Hook(i); err != nil {
					t.Fatal(err)
				}
				if i.Response.Body != test.want {
					t.Errorf("%q\nbecame %q\nand not %q", test.body, i.Response.Body, test.want)
				}
			}
		})
	}
}

func part(name, value string) string {
	return "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n--B--\r\n"
}

func TestHeaders(t *testing.T) {
	i := &cassette.Interaction{ID: 7,
		Request: cassette.Request{
			URL:     "https://anna:S3CRETPASS@api.ok.ru/x?code=S3CRETCODE#access_token=S3CRETHASH",
			Headers: http.Header{"Authorization": {"session S3CRETAUTH"}, "Accept": {"*/*"}, "Cookie": {"a=S3CRETSID; b=c"}},
		},
		Response: cassette.Response{
			Headers: http.Header{
				"Location":         {"https://example.org/?a=S3CRETSID#access_token=S3CRETHASH&state=1"},
				"Set-Cookie":       {"JSESSIONID=S3CRETNEW; Path=/; HttpOnly"},
				"X-Trace":          {"anything"},
				"Invocation-Error": {"102"},
			},
			Body: "S3CRETAUTH S3CRETNEW S3CRETPASS",
		}}
	if err := okvcr.Hook(i); err != nil {
		t.Fatal(err)
	}
	if want := "https://api.ok.ru/x?code=%5Bredacted%5D#access_token=%5Bredacted%5D"; i.Request.URL != want {
		t.Errorf("URL %s, want %s", i.Request.URL, want)
	}
	if want := (http.Header{"Authorization": {"[redacted]"}, "Accept": {"*/*"}, "Cookie": {"[redacted]"}}); !reflect.DeepEqual(i.Request.Headers, want) {
		t.Errorf("request %v, want %v", i.Request.Headers, want)
	}
	if want := (http.Header{
		"Location":         {"https://example.org/?a=%5Bredacted%5D#access_token=%5Bredacted-7%5D&state=1"},
		"Set-Cookie":       {"JSESSIONID=[redacted-7]; Path=/; HttpOnly"},
		"X-Trace":          {"[redacted-7]"},
		"Invocation-Error": {"102"},
	}); !reflect.DeepEqual(i.Response.Headers, want) {
		t.Errorf("response %v, want %v", i.Response.Headers, want)
	}
	if want := "[redacted] [redacted] [redacted]"; i.Response.Body != want {
		t.Errorf("body %q, want %q", i.Response.Body, want)
	}
}

// The maps of an interaction are those of the request and the response in use.
func TestLiveMapsStay(t *testing.T) {
	header, values := http.Header{"Authorization": {"session S3CRET"}, "Content-Length": {"11"}}, url.Values{"sig": {"S3CRET"}}
	i := &cassette.Interaction{
		Request:  cassette.Request{URL: "https://api.ok.ru/fb.do", Headers: header, Trailer: header, Form: values},
		Response: cassette.Response{Headers: header, Trailer: header, Body: "sig=S3CRET"},
	}
	if err := okvcr.Hook(i); err != nil {
		t.Fatal(err)
	}
	if header.Get("Authorization") != "session S3CRET" || header.Get("Content-Length") != "11" || values.Get("sig") != "S3CRET" {
		t.Errorf("changed: %v %v", header, values)
	}
}

func TestLengths(t *testing.T) {
	for before, after := range map[int64]int64{12: 22, -1: -1} {
		i := &cassette.Interaction{Response: cassette.Response{ContentLength: before, Body: `{"sig":"S3"}`, Headers: http.Header{"Content-Length": {"12"}}}}
		if err := okvcr.Hook(i); err != nil {
			t.Fatal(err)
		}
		if got := i.Response.ContentLength; got != after {
			t.Errorf("length %d became %d, want %d", before, got, after)
		}
		if got := i.Response.Headers.Get("Content-Length"); before >= 0 && got != "22" {
			t.Errorf("Content-Length %s, want 22", got)
		}
	}
}

func TestCompression(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write([]byte(`{"sig":"S3CRET"}`))
	_ = w.Close()
	response := func(coding, body string) *cassette.Interaction {
		return &cassette.Interaction{Response: cassette.Response{Body: body, Headers: http.Header{"Content-Encoding": {coding}}}}
	}
	i := response("gzip", zipped.String())
	if err := okvcr.Hook(i); err != nil || i.Response.Body != `{"sig":"[redacted-0]"}` || i.Response.Headers.Get("Content-Encoding") != "" {
		t.Errorf("gzip: %q %v %v", i.Response.Body, i.Response.Headers, err)
	}
	for coding, body := range map[string]string{"br": "S3CRET", "gzip": "S3CRET", "x-gzip": zipped.String()[:20]} {
		err := okvcr.Hook(response(coding, body))
		if err == nil || strings.Contains(err.Error(), "S3CRET") {
			t.Errorf("%s that cannot be read: %v", coding, err)
		}
	}
}
