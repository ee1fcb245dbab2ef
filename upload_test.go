package okru_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// uploadSecret is in the path and in the query of upload URLs.
const uploadSecret = "canary-upload-0123456789"

// uploadServer returns a client with the whole stack over the transport of a
// TLS server with h, and an upload URL of that server.
func uploadServer(t *testing.T, h http.HandlerFunc) (*http.Client, string) {
	t.Helper()
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	client, err := okru.NewClient(okru.Config{
		ApplicationKey: "KEY", ApplicationSecret: "application secret", TokenSource: oauth.Static("access token", ""),
		Base: server.Client().Transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, server.URL + "/" + uploadSecret + "/upload.do?apiToken=" + uploadSecret
}

func TestUpload(t *testing.T) {
	var sent []string
	client, target := uploadServer(t, func(w http.ResponseWriter, r *http.Request) {
		sent = append(sent, r.Method, fmt.Sprint(r.ContentLength > 0), r.URL.RawQuery)
		form, err := r.MultipartReader()
		if err != nil {
			t.Error(err)
			return
		}
		for {
			part, err := form.NextRawPart()
			if err != nil {
				break
			}
			content, _ := io.ReadAll(part)
			sent = append(sent, part.FormName(), part.FileName(), part.Header.Get("Content-Type"), string(content))
		}
		fmt.Fprint(w, `{"photos":{"a+/=":{"token":"t"}}}`)
	})
	var progress []int64
	first := okru.File{Content: strings.NewReader("first"), Size: 5, Progress: func(n int64) { progress = append(progress, n) }}
	second := okru.File{Name: "кот \"2\".jpg", ContentType: "image/jpeg", Content: strings.NewReader("second"), Size: 6}
	third := okru.File{Field: "caption", Content: iotestReader{strings.NewReader("third")}}
	for name, test := range map[string]struct {
		files []okru.File
		want  []string
	}{
		"sizes known": {[]okru.File{first, second}, []string{
			"POST", "true", "apiToken=" + uploadSecret,
			"pic1", "pic1", "application/octet-stream", "first", "pic2", "кот \"2\".jpg", "image/jpeg", "second",
		}},
		"a size unknown": {[]okru.File{third}, []string{
			"POST", "false", "apiToken=" + uploadSecret, "caption", "caption", "application/octet-stream", "third",
		}},
	} {
		sent = nil
		body, err := okru.Upload(t.Context(), client, target, test.files...)
		if err != nil || string(body) != `{"photos":{"a+/=":{"token":"t"}}}` {
			t.Errorf("%s: %s, %v", name, body, err)
		}
		if fmt.Sprintf("%q", sent) != fmt.Sprintf("%q", test.want) {
			t.Errorf("%s: sent %q, want %q", name, sent, test.want)
		}
	}
	if len(progress) == 0 || progress[len(progress)-1] != 5 {
		t.Errorf("progress is %v", progress)
	}
}

// An iotestReader returns one byte at a time.
type iotestReader struct{ r io.Reader }

func (r iotestReader) Read(p []byte) (int, error) { return r.r.Read(p[:min(len(p), 1)]) }

// A content that is not what was announced fails the upload, whatever the
// server says.
func TestUploadContentFails(t *testing.T) {
	lost := errors.New("disk gone")
	client, target := uploadServer(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	for name, test := range map[string]struct {
		file okru.File
		want string
	}{
		"shorter":        {okru.File{Content: strings.NewReader("1234"), Size: 5}, "pic1 has 4 bytes, and Size is 5"},
		"empty":          {okru.File{Content: strings.NewReader(""), Size: 5}, "pic1 has 0 bytes, and Size is 5"},
		"longer":         {okru.File{Content: strings.NewReader("123456"), Size: 5}, "pic1 has more than 5 bytes"},
		"longer by far":  {okru.File{Content: bytes.NewReader(make([]byte, 1<<20)), Size: 100_000}, "pic1 has more than 100000 bytes"},
		"broken":         {okru.File{Content: io.MultiReader(strings.NewReader("12"), errReader{lost})}, "disk gone"},
		"panics":         {okru.File{Content: panicReader{}}, "panic: content"},
		"progress panic": {okru.File{Content: strings.NewReader("1234"), Progress: func(int64) { panic("progress") }}, "panic: progress"},
	} {
		_, err := okru.Upload(t.Context(), client, target, test.file)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want %q", name, err, test.want)
		}
		if name == "broken" && !errors.Is(err, lost) {
			t.Errorf("%s: error does not wrap that of the content", name)
		}
		canary.Check(t, err, uploadSecret)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

type panicReader struct{}

func (panicReader) Read([]byte) (int, error) { panic("content") }

func TestUploadBadInput(t *testing.T) {
	client, target := uploadServer(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	file := func(edit func(*okru.File)) []okru.File {
		f := okru.File{Content: strings.NewReader("x")}
		edit(&f)
		return []okru.File{f}
	}
	good := file(func(*okru.File) {})
	for name, test := range map[string]struct {
		client *http.Client
		url    string
		files  []okru.File
		want   string
	}{
		"nil client":      {nil, target, good, "client is nil"},
		"no files":        {client, target, nil, "no files"},
		"no URL":          {client, "", good, "absolute URL"},
		"relative URL":    {client, "/" + uploadSecret, good, "absolute URL"},
		"broken URL":      {client, "https://%zz/" + uploadSecret, good, "absolute URL"},
		"plain http":      {client, "http://vu.example/" + uploadSecret, good, "https"},
		"an API call":     {client, "https://api.ok.ru/fb.do?method=x.y&t=" + uploadSecret, good, "API call"},
		"a misspelled":    {client, "https://api.ok.ru/api/x.y?t=" + uploadSecret, good, "API call"},
		"nil content":     {client, target, []okru.File{{}}, "Content is nil"},
		"duplicate field": {client, target, append(file(func(f *okru.File) { f.Field = "pic2" }), good...), "duplicate"},
		"media type":      {client, target, file(func(f *okru.File) { f.ContentType = "image/" }), "media type"},
		"header":          {client, target, file(func(f *okru.File) { f.ContentType = "image/png\r\nX: y" }), "media type"},
	} {
		_, err := okru.Upload(t.Context(), test.client, test.url, test.files...)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want %q", name, err, test.want)
		}
		canary.Check(t, err, uploadSecret)
	}
}

func TestUploadResponses(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect to http was followed") }))
	defer elsewhere.Close()
	requests := 0
	client, target := uploadServer(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		_, _ = io.Copy(io.Discard, r.Body)
		switch r.Header.Get("X-Case") {
		case "API error":
			fmt.Fprint(w, `{"error_code":100,"error_msg":"PARAM : FileToSmall"}`)
		case "API error, 400":
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error_code":100,"error_msg":"PARAM : BadFormat"}`)
		case "unavailable":
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(503)
			fmt.Fprint(w, "<html>no room for "+r.URL.String())
		case "to http":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		case "too long":
			_, _ = io.CopyN(w, zeros{}, 17<<20)
		case "reset":
			panic(http.ErrAbortHandler)
		}
	})
	for name, want := range map[string]int{"API error": 200, "API error, 400": 400, "unavailable": 503, "to http": 302, "too long": 200, "reset": 0} {
		requests = 0
		c := *client
		c.Transport = header{c.Transport, "X-Case", name}
		_, err := okru.Upload(t.Context(), &c, target, okru.File{Content: strings.NewReader("x")})
		apiErr, isAPI := errors.AsType[*okerrors.Error](err)
		answerErr, isResponse := errors.AsType[*okru.AnswerError](err)
		switch {
		case err == nil:
			t.Errorf("%s: no error", name)
		case strings.HasPrefix(name, "API") && (!isAPI || apiErr.Status != want || apiErr.Code != okerrors.CodeParam):
			t.Errorf("%s: error is %v", name, err)
		case !strings.HasPrefix(name, "API") && want > 0 && (!isResponse || answerErr.Status != want):
			t.Errorf("%s: error is %v", name, err)
		}
		if requests != 1 {
			t.Errorf("%s: %d requests", name, requests)
		}
		if errors.Is(err, okerrors.ErrTransient) {
			t.Errorf("%s: is %v", name, okerrors.ErrTransient)
		}
		canary.Check(t, err, uploadSecret)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// header is a RoundTripper that adds a header.
type header struct {
	next        http.RoundTripper
	name, value string
}

func (h header) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(h.name, h.value)
	return h.next.RoundTrip(r)
}

// A redirect of an upload does not show the next host its URL.
func TestUploadRedirectWithoutReferer(t *testing.T) {
	var referer []string
	client, target := uploadServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/next" {
			http.Redirect(w, r, "/next", http.StatusSeeOther)
			return
		}
		referer = r.Header["Referer"]
		fmt.Fprint(w, "done")
	})
	body, err := okru.Upload(t.Context(), client, target, okru.File{Content: strings.NewReader("x")})
	if err != nil || string(body) != "done" || referer != nil {
		t.Errorf("%s, %v, Referer %v", body, err, referer)
	}
}

func TestUploadContext(t *testing.T) {
	client, target := uploadServer(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	file := okru.File{Content: readFunc(func(p []byte) (int, error) { cancel(); return copy(p, "x"), io.EOF })}
	_, err := okru.Upload(ctx, client, target, file)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	canary.Check(t, err, uploadSecret)
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// However large the file, the memory stays small: that of the client and of the
// fake together. The file is larger than the bound.
func TestUploadNeedsLittleMemory(t *testing.T) {
	const bound = 32 << 20
	whole, inChunks := int64(2*bound), int64(2*bound)
	if os.Getenv("OKRU_LONG") != "" {
		whole, inChunks = 1<<30, 1<<28
	}
	for name, test := range map[string]struct {
		size   int64
		upload func(u videoUpload, progress func(int64)) ([]byte, error)
	}{
		"Upload": {whole, func(u videoUpload, progress func(int64)) ([]byte, error) {
			content := io.NewSectionReader(letters{whole}, 0, whole)
			return okru.Upload(t.Context(), u.client, u.url, okru.File{Content: content, Size: whole, Progress: progress})
		}},
		"UploadResumable": {inChunks, func(u videoUpload, progress func(int64)) ([]byte, error) {
			return u.send(t.Context(), inChunks, 0, progress)
		}},
	} {
		u := newVideoUpload(t, (*oktest.Server).Transport)
		m := newHeapGrowth()
		if body, err := test.upload(u, m.sample); err != nil || string(body) != "<retval>1</retval>" {
			t.Fatalf("%s: %s, %v", name, body, err)
		}
		u.check(t, test.size)
		if m.most > bound {
			t.Errorf("%s: the heap grew by %d MiB", name, m.most>>20)
		}
		t.Logf("%s: %d MiB sent, the heap grew by %.1f MiB at most", name, test.size>>20, float64(m.most)/(1<<20))
	}
}

// heapGrowth is by how much the heap has grown, garbage included.
type heapGrowth struct {
	before, most uint64
	sampled      int64
}

func newHeapGrowth() *heapGrowth {
	runtime.GC()
	return &heapGrowth{before: heap()}
}

func heap() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// sample is called with the number of bytes that were sent.
func (m *heapGrowth) sample(sent int64) {
	if sent>>22 != m.sampled {
		m.sampled = sent >> 22
		now := heap()
		m.most = max(m.most, now-min(m.before, now))
	}
}

// letters is a content of letters.
type letters struct{ size int64 }

// alphabets is copied from, since a loop over bytes is slow under the race
// detector.
var alphabets = strings.Repeat("abcdefghijklmnopqrstuvwxyz", 5000)

func (l letters) ReadAt(p []byte, at int64) (n int, err error) {
	for n < len(p) && at < l.size {
		part := alphabets[at%26:]
		copied := copy(p[n:], part[:min(int64(len(part)), l.size-at)])
		n += copied
		at += int64(copied)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// An excerpt shows neither a part of a secret, which the end of the excerpt would
// cut off, nor JSON, whose values may be personal data.
func TestUploadExcerpt(t *testing.T) {
	const secret = "abcdefghijklmnopqrstuvwxyz"
	for name, body := range map[string]string{
		"cut at the length of an excerpt": strings.Repeat("- ", 120) + secret + " is what you sent",
		"cut where reading ends":          strings.Repeat("- ", 250) + secret + " is what you sent",
		"JSON":                            `{"name":"` + secret[:20] + `"}`,
	} {
		c := &http.Client{Transport: transport.Func(func(r *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
			return &http.Response{StatusCode: 502, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})}
		_, err := okru.Upload(t.Context(), c, "https://upload.example/photo?key="+secret, okru.File{Content: strings.NewReader("x")})
		if e, ok := errors.AsType[*okru.AnswerError](err); !ok || strings.Contains(err.Error(), secret[:8]) || len(e.Excerpt) > 256 || name == "JSON" && e.Excerpt != "" {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}
