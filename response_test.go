package okru_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// respondWith returns a transport that always answers with what r reads.
func respondWith(r io.Reader) transport.Func {
	return func(req *http.Request) (*http.Response, error) {
		req.Body.Close()
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(r), Request: req}, nil
	}
}

// endless reads the same byte until it has had enough.
type endless struct {
	c    byte
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.read > 1<<20 {
		return 0, errors.New("enough")
	}
	for i := range p {
		p[i] = e.c
	}
	e.read += len(p)
	return len(p), nil
}

// What is not JSON is not read to its end, which may never come. A little more
// is read to keep the connection.
func TestCallReadsNoMoreThanItMust(t *testing.T) {
	for _, beginning := range []string{"", "{} ", "{}", strings.Repeat(" ", 2000), "\ufeff", `{"uid":`} {
		body := &endless{c: 'x'}
		c := &http.Client{Transport: respondWith(io.MultiReader(strings.NewReader(beginning), body))}
		_, err := okru.Call[struct{ UID string }](t.Context(), c, "users.getInfo", nil)
		if _, ok := errors.AsType[*okru.AnswerError](err); !ok || body.read > 128<<10 {
			t.Errorf("%.20q and so on: %v, read %d bytes", beginning, err, body.read)
		}
	}
}

func TestCallReadsAnyPieces(t *testing.T) {
	for _, text := range []string{`{"uid":"1"}`, "\ufeff{\"uid\":\"1\"}\r\n", strings.Repeat(" ", 2000) + `{"uid":"1"}` + strings.Repeat("\n", 2000)} {
		for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
			c := &http.Client{Transport: respondWith(r)}
			if got, err := okru.Call[struct{ UID string }](t.Context(), c, "users.getInfo", nil); err != nil || got.UID != "1" {
				t.Errorf("%T of %.20q: %v, %v", r, text, got, err)
			}
		}
	}
}

// A response that breaks off is neither a page nor a result, though it may look
// like one.
func TestCallBrokenOff(t *testing.T) {
	for _, text := range []string{"", " ", `{"uid":"1`, `{"uid":"1"}`, `{"uid":1}`, "<html>", `{"text":"` + strings.Repeat("x", 2000)} {
		for _, cause := range []error{io.ErrUnexpectedEOF, errors.New("reset")} {
			c := &http.Client{Transport: respondWith(io.MultiReader(strings.NewReader(text), iotest.ErrReader(cause)))}
			got, err := okru.Call[struct{ UID string }](t.Context(), c, "users.getInfo", nil)
			if !errors.Is(err, cause) || !strings.Contains(err.Error(), "broke off") || got.UID != "" {
				t.Errorf("%.20q: %v, %v", text, got, err)
			}
		}
	}
}

// A page that begins with white space is known as a page without its end, which may
// never come.
func TestCallDoesNotWaitForAPage(t *testing.T) {
	for name, beginning := range map[string]string{
		"line":       "\n<html>" + strings.Repeat("x", 505), // 512 bytes, as the others
		"mark":       "\ufeff<html>" + strings.Repeat("x", 503),
		"many lines": strings.Repeat("\r\n", 400) + "<html>" + strings.Repeat("x", 218), // 1,024
	} {
		c := &http.Client{Transport: transport.Func(func(r *http.Request) (*http.Response, error) {
			r.Body.Close()
			body := io.NopCloser(io.MultiReader(strings.NewReader(beginning), iotest.ErrReader(errors.New("was read"))))
			return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}, Body: body, Request: r}, nil
		})}
		_, err := okru.Call[struct{ UID string }](t.Context(), c, "users.setStatus", nil)
		e, ok := errors.AsType[*okru.AnswerError](err)
		if !ok || errors.Is(err, okerrors.ErrOutcomeUnknown) {
			t.Fatalf("%s: %v", name, err)
		}
		if e.Excerpt != "<html" { // the rest may be the beginning of a secret
			t.Errorf("%s: the excerpt is %q", name, e.Excerpt)
		}
	}
}

// A body that returns nothing and does not end is not read forever.
func TestCallOfEmptyReads(t *testing.T) {
	for _, beginning := range []string{"", `{"uid":"1"`, `{"uid":"1"}`, strings.Repeat(" ", 2000) + `{"uid":"1"}`} {
		c := &http.Client{Transport: transport.Func(func(r *http.Request) (*http.Response, error) {
			r.Body.Close()
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: &emptyReads{begin: strings.NewReader(beginning)}, Request: r}, nil
		})}
		if _, err := okru.Call[struct{ UID string }](t.Context(), c, "users.getInfo", nil); !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("%.20q: %v, want %v", beginning, err, io.ErrNoProgress)
		}
	}
}

// An emptyReads is a body that returns nothing after begin, until it is closed.
type emptyReads struct {
	begin  *strings.Reader
	closed atomic.Bool
}

func (b *emptyReads) Read(p []byte) (int, error) {
	if n, _ := b.begin.Read(p); n > 0 || !b.closed.Load() {
		return n, nil
	}
	return 0, http.ErrBodyReadAfterClose
}

func (b *emptyReads) Close() error { b.closed.Store(true); return nil }

// sly is a type whose errors look like those of a reader.
type sly struct{}

func (s *sly) UnmarshalJSON([]byte) error { return io.EOF }

func TestCallTellsTypesFromPages(t *testing.T) {
	for text, want := range map[string]string{`{}`: "does not fit", `{} x`: "not JSON", `{`: "not JSON"} {
		c := &http.Client{Transport: respondWith(strings.NewReader(text))}
		_, err := okru.Call[sly](t.Context(), c, "users.getInfo", nil)
		if e, ok := errors.AsType[*okru.AnswerError](err); !ok || !strings.Contains(err.Error(), want) || e.Excerpt != "" {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// An error of Call begins with the method, and not with the URL of net/http.
func TestCallErrorsBeginWithTheMethod(t *testing.T) {
	down := errors.New("down")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	respond := func(status int, text string) transport.Func { return respond(status, "application/json", text) }
	for name, test := range map[string]struct {
		ctx  context.Context
		base http.RoundTripper
		is   error
	}{
		"transport":      {t.Context(), transport.Func(func(*http.Request) (*http.Response, error) { return nil, down }), down},
		"ended context":  {ended, transport.Func(func(r *http.Request) (*http.Response, error) { return nil, r.Context().Err() }), context.Canceled},
		"dial":           {t.Context(), transport.Func(func(*http.Request) (*http.Response, error) { return nil, &net.OpError{Op: "dial", Err: down} }), down},
		"API error":      {t.Context(), respond(200, `{"error_code":10,"error_msg":"PERMISSION_DENIED : x"}`), okerrors.ErrPermission},
		"late code":      {t.Context(), respond(200, `{"uid":"1","error_code":10,"error_msg":"PERMISSION_DENIED : x"}`), okerrors.ErrPermission},
		"late code, 500": {t.Context(), respond(500, `{"uid":"1","error_code":10}`), okerrors.ErrPermission},
		"status":         {t.Context(), respond(500, "x"), nil},
		"broken off":     {t.Context(), respondWith(iotest.ErrReader(down)), down},
		"too long":       {t.Context(), transport.Func(func(r *http.Request) (*http.Response, error) { return respondWith(&filler{left: 17 << 20, c: ' '})(r) }), nil},
	} {
		for _, stack := range []bool{false, true} {
			c := &http.Client{Transport: test.base}
			if stack {
				c = newClient(t, okru.Config{ApplicationKey: "KEY", ApplicationSecret: "application secret", Base: test.base, Retry: transport.Retry{Max: -1}})
			}
			_, err := okru.Call[struct{}](test.ctx, c, "users.setStatus", nil)
			if err == nil || !strings.HasPrefix(err.Error(), "okru: users.setStatus: ") || strings.Count(err.Error(), "users.setStatus") != 1 || strings.Contains(err.Error(), "https://") {
				t.Errorf("%s, stack %t: %v", name, stack, err)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%s, stack %t: %v is not %v", name, stack, err, test.is)
			}
		}
	}
}

// An error that no layer has seen, since its code is late in the response, shows no
// secret either.
func TestLateErrorShowsNoSecret(t *testing.T) {
	const token, secret = "CANARY-access.token/+", "CANARY-application-secret"
	for name, before := range map[string]string{
		"foreign key": `{"uid":"1",`,
		"far":         strings.Repeat(" ", 70_000) + `{`,
		"long":        `{"error_msg":"` + strings.Repeat("x", 70_000) + `",`,
	} {
		var sig string
		base := transport.Func(func(r *http.Request) (*http.Response, error) {
			text, _ := io.ReadAll(r.Body)
			form, _ := url.ParseQuery(string(text))
			sig = form.Get("sig")
			quoted, _ := json.Marshal(token + " " + secret + " " + sig)
			body := before + `"error_code":100,"error_data":` + string(quoted) + `,"error_field":` + string(quoted) + `,"error_msg":"PARAM : bad ` + url.QueryEscape(token) + " " + secret + " " + sig + `"}`
			return respond(200, "application/json", body)(r)
		})
		c := newClient(t, okru.Config{ApplicationKey: "KEY", ApplicationSecret: secret, TokenSource: oauth.Static(token, ""), Base: base})
		_, err := okru.Call[struct{}](t.Context(), c, "users.getInfo", nil)
		e, ok := errors.AsType[*okerrors.Error](err)
		if !ok || e.Code != okerrors.CodeParam {
			t.Fatalf("%s: %v", name, err)
		}
		canary.Check(t, err, token, url.QueryEscape(token), secret, sig)
		canary.Check(t, e.Message+e.Field+string(e.Data), token, url.QueryEscape(token), secret, sig)
	}
}

// If a late error without the secrets is no error any more, its code is left.
func TestLateErrorOfAnOddSecret(t *testing.T) {
	base := respond(200, "application/json", `{"uid":"1","error_code":100,"error_msg":"PARAM : x"}`)
	c := newClient(t, okru.Config{ApplicationKey: "KEY", ApplicationSecret: "error_code", Base: base})
	_, err := okru.Call[struct{}](t.Context(), c, "users.getInfo", nil)
	if e, ok := errors.AsType[*okerrors.Error](err); !ok || e.Code != okerrors.CodeParam || e.Message != "" || e.Method != "users.getInfo" {
		t.Errorf("the error is %#v", err)
	}
}

// A filler reads left bytes c, and counts what is read.
type filler struct {
	left int
	c    byte
}

func (f *filler) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), f.left)
	for i := range n {
		p[i] = f.c
	}
	f.left -= n
	return n, nil
}

// A response is read up to 16 MiB, and what surrounds its value takes no memory.
func TestCallIsBounded(t *testing.T) {
	const size = 256 << 20
	for name, test := range map[string]struct {
		begin string
		fill  byte
	}{
		"spaces after a value":  {"true", ' '},
		"spaces before a value": {"", ' '},
		"one string":            {`"`, 'x'},
		"one number":            {"", '1'},
		"nested arrays":         {"", '['},
	} {
		fill := &filler{left: size, c: test.fill}
		body := io.MultiReader(strings.NewReader(test.begin), fill)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := okru.Call[json.RawMessage](t.Context(), &http.Client{Transport: respondWith(body)}, "users.getInfo", nil)
		runtime.ReadMemStats(&after)
		if _, ok := errors.AsType[*okru.AnswerError](err); !ok {
			t.Errorf("%s: error is %v", name, err)
		}
		if read := size - fill.left; read > 17<<20 {
			t.Errorf("%s: read %d bytes", name, read)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 || test.fill == ' ' && used > 1<<20 {
			t.Errorf("%s: allocated %d bytes", name, used)
		}
	}
}

// The values of a response may be personal data: they are in no error.
func TestAnswerErrorShowsNoValue(t *testing.T) {
	type user struct {
		Name string
		Age  int
		Born time.Time
		List []struct{ ID int }
	}
	const personal = "Anna-Kowalska"
	for _, text := range []string{
		`{"name":1234567}`, `{"age":"` + personal + `"}`, `{"age":1234567.5}`, `{"age":123456712345671234567}`, `{"born":"` + personal + `"}`,
		`{"list":[{"id":"` + personal + `"}]}`, `{"list":[{"id":12345670000000000000000}]}`, `["` + personal + `"]`, `"` + personal + `"`, `{"name":"` + personal,
		`{"name":"` + personal + `"} x`, " \r\n" + `{"name":"` + personal + `",}`, "\ufeff" + `{"name":"` + personal + `"}{`, `{"` + personal + `":1}}`,
	} {
		for _, status := range []int{200, 404, 503} {
			for _, kind := range []string{"application/json; charset=utf-8", "text/html", ""} {
				c := &http.Client{Transport: respond(status, kind, text)}
				_, err := okru.Call[user](t.Context(), c, "users.getInfo", nil)
				if e, ok := errors.AsType[*okru.AnswerError](err); !ok || e.Excerpt != "" {
					t.Fatalf("%s: error is %v", text, err)
				}
				for chain := err; chain != nil; chain = errors.Unwrap(chain) {
					if all := fmt.Sprintf("%v %+v %#v", chain, chain, chain); strings.Contains(all, personal) || strings.Contains(all, "1234567") {
						t.Errorf("%s: %s", text, all)
					}
				}
			}
		}
	}
	_, err := okru.Call[user](t.Context(), &http.Client{Transport: respond(200, "", `{"list":[{"id":"x"}]}`)}, "users.getInfo", nil)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); !ok || !strings.Contains(err.Error(), "List.ID") || !strings.Contains(err.Error(), e.Type.String()) {
		t.Errorf("the error does not say what does not fit: %v", err)
	}
}

// The class of a response without an API code, by its status.
func TestClassOfAnswerError(t *testing.T) {
	for _, test := range []struct {
		status             int
		later, text        string
		throttled, unknown bool
	}{
		{200, "", "<html>", false, true},
		{200, "", "[1", false, true},
		{204, "", "x", false, true},
		{304, "", "x", false, false},
		{400, "", "x", false, false},
		{403, "", "{}", false, false},
		{429, "", "x", true, false},
		{429, "5", "x", true, false},
		{500, "", "{}", false, true},
		{502, "5", "x", false, true},
		{503, "", "x", true, true},
		{503, "5", "x", true, false},
		{504, "", "x", false, true},
	} {
		for _, method := range []string{"users.setStatus", "users.getInfo"} {
			base := respond(test.status, "text/html", test.text)
			c := &http.Client{Transport: transport.Func(func(r *http.Request) (*http.Response, error) {
				resp, err := base(r)
				if test.later != "" {
					resp.Header.Set("Retry-After", test.later)
				}
				return resp, err
			})}
			_, err := okru.Call[struct{}](t.Context(), c, method, nil)
			unknown := test.unknown && method == "users.setStatus"
			if errors.Is(err, okerrors.ErrThrottled) != test.throttled || errors.Is(err, okerrors.ErrOutcomeUnknown) != unknown {
				t.Errorf("%s, status %d, Retry-After %q: %v", method, test.status, test.later, err)
			}
		}
	}
}

// http.Client keeps only the text of an error at its timeout: Call knows the
// outcome all the same.
func TestOutcomeAfterClientTimeout(t *testing.T) {
	hang := transport.Func(func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	for name, stack := range map[string]bool{"stack": true, "plain client": false} {
		for method, unknown := range map[string]bool{"users.setStatus": true, "users.getInfo": false} {
			synctest.Test(t, func(t *testing.T) {
				c := &http.Client{Transport: hang}
				if stack {
					c = newClient(t, okru.Config{ApplicationKey: "KEY", ApplicationSecret: "application secret", Base: hang})
				}
				c.Timeout = time.Second
				_, err := okru.Call[struct{}](t.Context(), c, method, nil)
				var timeout interface{ Timeout() bool }
				if errors.Is(err, okerrors.ErrOutcomeUnknown) != unknown || !errors.As(err, &timeout) || !timeout.Timeout() {
					t.Errorf("%s, %s: %v", name, method, err)
				}
			})
		}
	}
}
