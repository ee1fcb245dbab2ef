package transport_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// naive signs the way most people write it; the tests trust it because it is
// checked against the published vectors.
func naive(params url.Values, secret string) string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(params)) {
		if key != "sig" && key != "resig" && key != "access_token" {
			text.WriteString(key + "=" + params[key][0])
		}
	}
	sum := md5.Sum([]byte(text.String() + secret))
	return hex.EncodeToString(sum[:])
}

func signer() transport.Signer {
	return transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: oauth.Static("token-1", "session-secret")}
}

var wantSecret = transport.DeriveSecret("token-1", "app-secret")

// sent runs r through s and returns what reached the base: the request, its
// query and its form.
func sent(t *testing.T, s transport.Signer, r *http.Request) (*http.Request, url.Values, url.Values) {
	t.Helper()
	var got *http.Request
	var form string
	rt := s.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
		got = r
		if r.Body != nil {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				t.Errorf("reading the signed body: %v", err)
			}
			form = string(b)
			r.Body.Close()
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
	}))
	resp, err := rt.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Request != r {
		t.Error("the response's Request is not the caller's")
	}
	query, err := url.ParseQuery(got.URL.RawQuery)
	if err != nil {
		t.Errorf("signed query: %v", err)
	}
	values := url.Values{}
	if strings.HasPrefix(got.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		if values, err = url.ParseQuery(form); err != nil {
			t.Errorf("signed form: %v", err)
		}
		if got.ContentLength != int64(len(form)) {
			t.Errorf("ContentLength is %d, the form has %d bytes", got.ContentLength, len(form))
		}
		fresh, err := got.GetBody()
		if err != nil {
			t.Fatalf("GetBody: %v", err)
		}
		if again, _ := io.ReadAll(fresh); string(again) != form {
			t.Errorf("GetBody gives %q, Body gave %q", again, form)
		}
	}
	return got, query, values
}

func get(query string) *http.Request {
	r, _ := http.NewRequest("GET", "https://api.ok.ru/fb.do", nil)
	r.URL.RawQuery = query
	return r
}

func post(query, form string) *http.Request {
	r, _ := http.NewRequest("POST", "https://api.ok.ru/fb.do", strings.NewReader(form))
	r.URL.RawQuery = query
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r
}

func TestSignerParameters(t *testing.T) {
	path, _ := http.NewRequest("GET", "https://api.ok.ru/api/users/getInfo?uids=1", nil)
	bodyless, _ := http.NewRequest("POST", "https://api.ok.ru/fb.do?method=users.getInfo", nil)
	shouting := get("method=users.getInfo")
	shouting.URL.Host = "API.ok.ru:443"
	for _, test := range []struct {
		name        string
		r           *http.Request
		query, form string // without application_key, format, sig and access_token
	}{
		{"plain", get("method=users.getInfo&uids=1,2"), "method=users.getInfo&uids=1,2", ""},
		{"path form", path, "uids=1", ""},
		{"bodyless POST", bodyless, "method=users.getInfo", ""},
		{"host in capitals with port", shouting, "method=users.getInfo", ""},
		{"escaped value", get("method=a.b&text=%D0%9F%2B+%26%3D%25"), "method=a.b&text=%D0%9F%2B+%26%3D%25", ""},
		{"escaped key", get("m%65thod=a.b"), "method=a.b", ""},
		{"raw UTF-8 and space", get("method=a.b&text=Привет мир"), "method=a.b&text=" + url.QueryEscape("Привет мир"), ""},
		{"empty value", get("method=a.b&text=&flag"), "method=a.b&text=&flag=", ""},
		{"empty pairs", get("&&method=a.b&&"), "method=a.b", ""},
		{"equals sign in value", get("method=a.b&x=a=b"), "method=a.b&x=a%3Db", ""},
		{"prefix keys", get("a1=2&a=1&method=a.b"), "a=1&a1=2&method=a.b", ""},
		{"long equal prefixes", get("application_z=2&application_a=1&method=a.b"), "application_z=2&application_a=1&method=a.b", ""},
		{"caller's sig and session", get("method=a.b&sig=bad&access_token=token-1&sig=worse"), "method=a.b", ""},
		{"caller's session_key", get("method=a.b&session_key=token%2D1"), "method=a.b", ""},
		{"resig is sent", get("method=a.b&resig=r"), "method=a.b&resig=r", ""},
		{"same application key", get("method=a.b&application_key=KEY"), "method=a.b", ""},
		{"form", post("", "method=a.b&text=%D0%9F"), "", "method=a.b&text=%D0%9F"},
		{"query and form", post("method=a.b", "text=1"), "method=a.b", "text=1"},
		{"sig and session in both", post("method=a.b&sig=1&access_token=token-1", "text=1&sig=2&access_token=token-1&session_key=token-1"), "method=a.b", "text=1"},
		{"form and a raw query", post("method=a.b&text=Привет мир<\"", "x=1"), "method=a.b&text=" + url.QueryEscape("Привет мир<\""), "x=1"},
		{"empty form", post("method=a.b", ""), "method=a.b", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, query, form := sent(t, signer(), test.r)
			union := maps.Clone(query)
			for key, values := range form {
				if _, both := union[key]; both {
					t.Errorf("%q is in the query and in the form", key)
				}
				union[key] = values
			}
			if strings.ContainsFunc(got.URL.RawQuery, func(c rune) bool { return c <= ' ' || c > '~' || c == '<' || c == '"' }) {
				t.Errorf("the query is not escaped: %q", got.URL.RawQuery)
			}
			for key, values := range union {
				if len(values) != 1 {
					t.Errorf("%q was sent %d times", key, len(values))
				}
			}
			if want := naive(union, wantSecret); union.Get("sig") != want {
				t.Errorf("sig is %s, want %s, for %q %q", union.Get("sig"), want, got.URL.RawQuery, form)
			}
			if union.Get("access_token") != "token-1" || union.Get("application_key") != "KEY" || union.Get("format") != "json" {
				t.Errorf("sent %v", union)
			}
			ours := query
			if test.r.Method == "POST" && test.r.Body != nil && test.r.Body != http.NoBody {
				ours = form
			}
			if !ours.Has("sig") || !ours.Has("access_token") || !ours.Has("application_key") {
				t.Errorf("our parameters are not all in one place: query %v, form %v", query, form)
			}
			for _, key := range []string{"sig", "access_token", "application_key", "format"} {
				query.Del(key)
				form.Del(key)
			}
			wantQuery, _ := url.ParseQuery(test.query)
			wantForm, _ := url.ParseQuery(test.form)
			if query.Encode() != wantQuery.Encode() || form.Encode() != wantForm.Encode() {
				t.Errorf("sent query %q and form %q, want %q and %q", query.Encode(), form.Encode(), wantQuery.Encode(), wantForm.Encode())
			}
		})
	}
}

func TestSignerKeepsFormat(t *testing.T) {
	if _, query, _ := sent(t, signer(), get("method=a.b&format=XML")); query.Get("format") != "XML" || query.Get("sig") != naive(query, wantSecret) {
		t.Errorf("sent %v", query)
	}
}

func TestSignerMultipart(t *testing.T) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	w.WriteField("pic1", "bytes")
	w.Close()
	r, _ := http.NewRequest("POST", "https://api.ok.ru/fb.do?method=photos.upload", bytes.NewReader(b.Bytes()))
	r.Header.Set("Content-Type", w.FormDataContentType())
	var text bytes.Buffer
	r.Body = io.NopCloser(io.TeeReader(r.Body, &text))
	got, query, _ := sent(t, signer(), r)
	if query.Get("sig") != naive(query, wantSecret) || query.Get("access_token") != "token-1" {
		t.Errorf("the query is not signed: %v", query)
	}
	if text.String() != b.String() || got.ContentLength != r.ContentLength {
		t.Error("the multipart body was not sent as it is")
	}
}

func TestSignerFormWithoutGetBody(t *testing.T) {
	r := post("", "method=a.b&text=1")
	r.GetBody, r.ContentLength = nil, -1
	r.TransferEncoding = []string{"chunked"}
	if got, _, form := sent(t, signer(), r); form.Get("sig") != naive(form, wantSecret) || got.TransferEncoding != nil {
		t.Errorf("sent %v, %v", form, got.TransferEncoding)
	}
}

// The names of headers are not case-sensitive, and net/http writes what is in
// the map.
func TestSignerFormByItsHeader(t *testing.T) {
	for _, name := range []string{"Content-Type", "content-type", "CONTENT-TYPE"} {
		r := post("", "method=a.b&text=1")
		r.Header = http.Header{name: {"application/x-www-form-urlencoded"}}
		got, query, _ := sent(t, signer(), r)
		text, _ := got.GetBody()
		b, _ := io.ReadAll(text)
		form, _ := url.ParseQuery(string(b))
		if form.Get("sig") != naive(form, wantSecret) || query.Has("sig") {
			t.Errorf("%s: sent query %v and form %v", name, query, form)
		}
		r = post("", "method=a.b&text=1")
		r.Header["content-encoding"] = []string{"gzip"}
		if _, err := signer().Wrap(new(recorder)).RoundTrip(r); err == nil || !strings.Contains(err.Error(), "Content-Encoding") {
			t.Errorf("%s: a compressed form: %v", name, err)
		}
	}
}

func TestSignerPassesOthersUntouched(t *testing.T) {
	for _, target := range []string{
		"https://example.com/fb.do?method=users.getInfo",
		"https://api.ok.ru.example.com/fb.do?method=users.getInfo",
		"https://api.ok.ru:8443/fb.do?method=users.getInfo",
		"http://example.com/fb.do",
		"https://api.ok.ru/graph/me/chats?access_token=group",
		"https://api.ok.ru/oauth/token.do",
		"https://api.ok.ru/dk?st.cmd=x",
		"https://example.com/api/users.getInfo",
		"https://up.mycdn.me/upload?sig=theirs&a=1&a=2",
	} {
		var base recorder
		r, _ := http.NewRequest("GET", target, nil)
		if _, err := signer().Wrap(&base).RoundTrip(r); err != nil || base.got != r {
			t.Errorf("%s: err %v, passed through untouched: %t", target, err, base.got == r)
		}
	}
}

func TestSignerRefuses(t *testing.T) {
	plain := get("method=a.b")
	plain.URL.Scheme = "http"
	port := get("method=a.b")
	port.URL.Scheme, port.URL.Host = "http", "api.ok.ru:80"
	gzip := post("", "method=a.b")
	gzip.Header.Set("Content-Encoding", "gzip")
	broken := post("", "x")
	broken.GetBody = nil
	broken.Body = io.NopCloser(io.MultiReader(strings.NewReader("method=a"), errReader{}))
	long := post("", "text="+strings.Repeat("x", 11<<20))
	noSecret := transport.Signer{ApplicationKey: "KEY", TokenSource: oauth.Static("token-1", "")}
	for _, test := range []struct {
		name  string
		s     transport.Signer
		r     *http.Request
		words []string
	}{
		{"repeated key", signer(), get("method=a.b&uids=1&uids=2"), []string{`"uids"`, "duplicate", "commas"}},
		{"key in query and form", signer(), post("method=a.b", "method=a.c"), []string{`"method"`, "duplicate"}},
		{"bad escape", signer(), get("method=a.b&text=%zz"), []string{`"text"`, "escape"}},
		{"cut escape", signer(), get("method=a.b&text=%4"), []string{"escape"}},
		{"bad escape in form", signer(), post("", "method=a.b&t%z=1"), []string{"form", "escape"}},
		{"semicolon", signer(), get("method=a.b;uids=1"), []string{"semicolon", "%3B"}},
		{"plain http", signer(), plain, []string{"https://api.ok.ru"}},
		{"plain http with port", signer(), port, []string{"https://api.ok.ru"}},
		{"application secret sent", signer(), get("method=a.b&application_secret_key=s"), []string{"application_secret_key", "secret"}},
		{"session secret sent", signer(), post("", "method=a.b&session_secret_key=s"), []string{"session_secret_key"}},
		{"another application", signer(), get("method=a.b&application_key=OTHER"), []string{"application_key"}},
		{"compressed form", signer(), gzip, []string{"Content-Encoding"}},
		{"unreadable form", signer(), broken, []string{"form", "broken"}},
		{"endless form", signer(), long, []string{"10 MiB"}},
		{"no application key", transport.Signer{}, get("method=a.b"), []string{"ApplicationKey"}},
		{"no such circuit", transport.Signer{ApplicationKey: "KEY", Circuit: 9}, get("method=a.b"), []string{"Circuit", "9"}},
		{"bad host", transport.Signer{ApplicationKey: "KEY", Hosts: []string{"api.ok.ru", "https://x/"}}, get("method=a.b"), nil},
		{"nothing to sign with", transport.Signer{ApplicationKey: "KEY"}, get("method=a.b"), []string{"TokenSource", "ApplicationSecret"}},
		{"no secret for the session", noSecret, get("method=a.b"), []string{"ApplicationSecret", "session_secret_key"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			sends := 0
			rt := test.s.Wrap(transport.Func(func(*http.Request) (*http.Response, error) {
				sends++
				return nil, errors.New("sent")
			}))
			_, err := rt.RoundTrip(test.r)
			if test.words == nil { // the good host still has to fail
				if err == nil {
					t.Error("no error")
				}
				return
			}
			if sends > 0 || err == nil {
				t.Fatalf("sent %d times, err %v", sends, err)
			}
			for _, word := range test.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("error %q does not mention %q", err, word)
				}
			}
			if strings.Count(err.Error(), "okru:") != 1 && test.name != "no such circuit" {
				t.Errorf("error %q should say okru: once", err)
			}
			var final interface{ Terminal() bool }
			if !errors.As(err, &final) || !final.Terminal() {
				t.Errorf("%v is not Terminal", err)
			}
		})
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestSignerLoopbackMayUseHTTP(t *testing.T) {
	s := signer()
	s.Hosts = []string{"127.0.0.1:8080", "[::1]:8080", "localhost:8080"}
	for _, h := range append(s.Hosts, "LOCALHOST:8080") {
		r := get("method=a.b")
		r.URL.Scheme, r.URL.Host = "http", h
		if _, query, _ := sent(t, s, r); query.Get("sig") == "" {
			t.Errorf("%s: not signed", h)
		}
	}
}

// http.Transport repeats a GET by itself when an idle connection is broken,
// unless it has a body that cannot be had again.
func TestSignerWriteByGETIsSentOnce(t *testing.T) {
	for query, once := range map[string]bool{
		"method=users.setStatus&status=x":   true,
		"method=video.getUploadUrl":         true,
		"method=users.getInfo&uids=1":       false,
		"method=friends.get":                false,
		"method=friends.getter":             true,
		"method=friends.getaway":            true,
		"method=users.isAppUser":            false,
		"method=search.quick":               true,
		"status=x":                          true,
		"method=group.sub.getMembers":       false,
		"method=notifications.sendFromUser": true,
	} {
		got, _, _ := sent(t, signer(), get(query))
		replayable := got.Body == nil || got.Body == http.NoBody || got.GetBody != nil
		if replayable == once {
			t.Errorf("%s: replayable by http.Transport: %t, want %t", query, replayable, !once)
		}
	}
	r := get("method=users.setStatus")
	if got, _, _ := sent(t, signer(), r.WithContext(transport.WithIdempotent(r.Context(), true))); got.Body != nil {
		t.Error("a write marked as idempotent got a body")
	}
}

// The query of a call with a form is sent as it was written, also after a call of
// which a parameter was dropped.
func TestQueryOfAFormStays(t *testing.T) {
	var got []string
	rt := signer().Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
		got = append(got, r.URL.RawQuery)
		return respondWith(200, "true").response(r), nil
	}))
	for _, query := range []string{"b=1&a=2", "b=1&sig=x&a=2", "b=1&a=2", "b=<&a=2"} {
		if _, err := rt.RoundTrip(post(query, "method=users.getInfo")); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"b=1&a=2", "a=2&b=1", "b=1&a=2", "a=2&b=%3C"}; !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// A form may have 10 MiB, and not a byte more, be it in memory or a stream.
func TestLengthOfForms(t *testing.T) {
	const prefix = "method=users.getInfo&text="
	for _, stream := range []bool{false, true} {
		for _, more := range []int{0, 1} {
			r := post("", prefix+strings.Repeat("x", 10<<20-len(prefix)+more))
			if stream {
				r.GetBody = nil
			}
			_, err := signer().Wrap(&script{outcomes: []outcome{respondWith(200, "true")}}).RoundTrip(r)
			if (err != nil) != (more > 0) {
				t.Errorf("10 MiB and %d bytes, a stream %t: %v", more, stream, err)
			}
		}
	}
}

// The body that keeps a call from being replayed leaves no trace in it.
func TestSignerAddsNoBody(t *testing.T) {
	for _, verb := range []string{"", "GET", "HEAD", "OPTIONS", "TRACE", "DELETE", "POST"} {
		r := get("method=users.setStatus&status=x")
		r.Method = verb
		got, _, _ := sent(t, signer(), r)
		var wire bytes.Buffer
		if err := got.Write(&wire); err != nil {
			t.Fatal(err)
		}
		if text := wire.String(); strings.Contains(text, "Transfer-Encoding") || !strings.HasSuffix(text, "\r\n\r\n") {
			t.Errorf("%s: sent %q", verb, text)
		}
	}
}

func FuzzSigner(f *testing.F) {
	for _, seed := range []string{
		"method=events.get", "a=1&a1=2", "status=%D0%9F+%2B&method=users.setStatus", "x=Привет", "=&a", "a==b&c=%26",
		"application_key=KEY&format=XML", "sig=1&access_token=token-1&resig=3", "application_k=1&application_ke=2", "%61=1&b",
	} {
		f.Add(seed, seed, true)
		f.Add(seed, "text=1&b%2B=%00", false)
	}
	f.Fuzz(func(t *testing.T, query, form string, isForm bool) {
		r := get(query)
		if isForm {
			r = post(query, form)
		}
		var got url.Values
		rt := signer().Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
			got, _ = url.ParseQuery(r.URL.RawQuery)
			if isForm && r.ContentLength > 0 {
				b, _ := io.ReadAll(r.Body)
				values, err := url.ParseQuery(string(b))
				if err != nil {
					t.Errorf("form %q does not parse: %v", b, err)
				}
				maps.Copy(got, values)
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
		}))
		if _, err := rt.RoundTrip(r); err != nil {
			return
		}
		if want := naive(got, wantSecret); got.Get("sig") != want {
			t.Errorf("sig %s, want %s, of %q", got.Get("sig"), want, got)
		}
		given, _ := url.ParseQuery(query)
		if isForm && form != "" {
			values, _ := url.ParseQuery(form)
			maps.Copy(given, values)
		}
		for key, values := range given {
			switch key {
			case "sig", "access_token", "session_key", "application_key", "format":
				continue
			}
			if got.Get(key) != values[0] {
				t.Errorf("%q was %q and came out as %q", key, values[0], got.Get(key))
			}
		}
		if base := transport.Signature(got, wantSecret); base != got.Get("sig") {
			t.Errorf("Signature says %s, the Signer %s", base, got.Get("sig"))
		}
	})
}
