package oktest_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

// Each fault looks the same to a client over a network and in the process, and
// the journal shows whether the method ran.
func TestFaults(t *testing.T) {
	const body = `{"n":"12345678901234567890"}`
	for name, test := range map[string]struct {
		fault  oktest.Fault
		ran    bool
		status int // 0: an error comes instead
		err    error
		code   okerrors.Code
		body   string
		header string // "Name: value" of the response
	}{
		"reset before": {fault: oktest.Fault{Reset: true}, err: syscall.ECONNRESET},
		"reset after":  {fault: oktest.Fault{Reset: true, AfterRun: true}, ran: true, err: syscall.ECONNRESET},
		"code":         {fault: oktest.Fault{Code: 8}, status: 200, code: 8, body: "flood protection"},
		"code after":   {fault: oktest.Fault{Code: 1, AfterRun: true}, ran: true, status: 200, code: 1, body: "UNKNOWN : "},
		"code, status": {fault: oktest.Fault{Code: 2, Status: 500}, status: 500, code: 2, body: "SERVICE : Service is"},
		"error": {fault: oktest.Fault{Error: &okerrors.Error{Code: 100, Message: "PARAM : x", Field: "uid", Data: []byte("7")}},
			status: 200, code: 100, body: `{"error_code":100,"error_data":7,"error_msg":"PARAM : x","error_field":"uid"}`},
		"503": {fault: oktest.Fault{Status: 503, RetryAfter: 1500 * time.Millisecond}, status: 503,
			body: "Service Unavailable", header: "Retry-After: 2"},
		"504 after":  {fault: oktest.Fault{Status: 504, AfterRun: true}, ran: true, status: 504, body: "Gateway Timeout"},
		"204":        {fault: oktest.Fault{Status: 204, Body: "x"}, status: 204},
		"HTML":       {fault: oktest.Fault{Body: oktest.HTMLPage}, status: 200, body: oktest.HTMLPage, header: "Content-Type: text/html; charset=utf-8"},
		"header":     {fault: oktest.Fault{Header: http.Header{"x-a": {"b"}}}, ran: true, status: 200, body: body, header: "X-A: b"},
		"truncate":   {fault: oktest.Fault{Truncate: true}, ran: true, status: 200, err: io.ErrUnexpectedEOF, body: body[:len(body)/2]},
		"chunks cut": {fault: oktest.Fault{Truncate: true, Chunked: true}, ran: true, status: 200, err: io.ErrUnexpectedEOF, body: body[:len(body)/2]},
		"chunked":    {fault: oktest.Fault{Chunked: true}, ran: true, status: 200, body: body},
		"gzip":       {fault: oktest.Fault{Gzip: true}, ran: true, status: 200, body: body},
		"empty, cut": {fault: oktest.Fault{Status: 500, Body: " ", Truncate: true}, status: 500, err: io.ErrUnexpectedEOF},
		"pause":      {fault: oktest.Fault{Delay: time.Millisecond, Pause: time.Millisecond}, ran: true, status: 200, body: body},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			srv.Handle("test.write", func(url.Values) (any, error) { return map[string]string{"n": "12345678901234567890"}, nil })
			for way, rt := range ways(srv) {
				test.fault.Times = 1
				srv.Inject(test.fault)
				params := sessionless("method", "test.write", "n", way)
				r := post(t, rt, realAPI, params)
				call := last(t, srv)
				if way == "HTTP2" && test.err != nil {
					if r.err == nil || !strings.Contains(r.err.Error(), "INTERNAL_ERROR") {
						t.Fatalf("%s: got error %v, want a stream error", way, r.err)
					}
				} else if !errors.Is(r.err, test.err) {
					t.Fatalf("%s: got error %v, want %v", way, r.err, test.err)
				}
				if call.Ran != test.ran || !call.Faulted || call.Code != test.code || call.Status != test.status {
					t.Errorf("%s: the journal has %v", way, call)
				}
				if test.status == 0 {
					continue
				}
				name, value, _ := strings.Cut(test.header, ": ")
				if r.StatusCode != test.status || !strings.Contains(r.body, test.body) || r.Header.Get(name) != value {
					t.Errorf("%s: got %d %v %q", way, r.StatusCode, r.Header, r.body)
				}
				if got := r.Header.Get("Invocation-Error"); test.code != 0 && got != strconv.Itoa(int(test.code)) {
					t.Errorf("%s: Invocation-Error is %q", way, got)
				}
				if wantLength := !test.fault.Chunked && !test.fault.Gzip; (r.ContentLength >= 0) != wantLength {
					t.Errorf("%s: ContentLength is %d", way, r.ContentLength)
				}
				if r.Uncompressed != test.fault.Gzip {
					t.Errorf("%s: Uncompressed is %t", way, r.Uncompressed)
				}
				if again := post(t, rt, realAPI, params); again.code(t) != 0 || again.body != body {
					t.Errorf("%s: the fault goes on: %s", way, again.body)
				}
			}
		})
	}
}

// A client that asks for gzip itself gets it as it is.
func TestGzipAskedFor(t *testing.T) {
	srv := newServer(t)
	srv.Inject(oktest.Fault{Gzip: true})
	for way, rt := range ways(srv) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, realAPI+"/fb.do?"+sessionless("method", "group.getInfo", "uids", "1").Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "gzip")
		got := send(rt, r)
		z, err := gzip.NewReader(strings.NewReader(got.body))
		if err != nil || got.Header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s: %v, %v", way, err, got.Header)
		}
		if text, err := io.ReadAll(z); string(text) != "[]" || err != nil {
			t.Errorf("%s: got %q, %v", way, text, err)
		}
	}
}

func TestFaultSelection(t *testing.T) {
	srv := newServer(t)
	srv.Handle("test.a", func(url.Values) (any, error) { return true, nil })
	srv.Handle("test.b", func(url.Values) (any, error) { return true, nil })
	srv.Inject(oktest.Fault{Method: "test.a", Code: 1, Times: 2})
	srv.Inject(oktest.Fault{Match: func(c oktest.Call) bool { return c.Params.Get("n") == "7" }, Code: 2})
	srv.Inject(oktest.Fault{Method: oktest.TokenEndpoint, Status: 502})
	srv.Inject(oktest.Fault{Method: oktest.AuthorizePage, Status: 503})
	srv.Inject(oktest.Fault{Method: oktest.LoginPages, Status: 504})
	code := func(pairs ...string) int {
		return int(post(t, srv.InProcess(), realAPI, sessionless(pairs...)).code(t))
	}
	for i, test := range []struct {
		pairs []string
		want  int
	}{
		{[]string{"method", "test.b"}, 0},
		{[]string{"method", "test.a"}, 1},
		{[]string{"method", "test.a", "n", "7"}, 1}, // the first fault comes first
		{[]string{"method", "test.a"}, 0},           // and is used up
		{[]string{"method", "test.a", "n", "7"}, 2},
		{[]string{"method", "test.b", "n", "7"}, 2},
	} {
		if got := code(test.pairs...); got != test.want {
			t.Errorf("call %d: got code %d, want %d", i, got, test.want)
		}
	}
	p := newPerson(t, srv.InProcess())
	if got := exchange(t, srv.InProcess(), "grant_type", "refresh_token").StatusCode; got != 502 {
		t.Errorf("token endpoint: status %d", got)
	}
	if got := p.open(authorizeURL(realConnect)).status; got != 503 {
		t.Errorf("authorize page: status %d", got)
	}
	if got := p.open(realConnect + "/dk?st.cmd=OAuth2Login").status; got != 504 {
		t.Errorf("login page: status %d", got)
	}
	srv.ClearFaults()
	if got := code("method", "test.b", "n", "7"); got != 0 {
		t.Errorf("after ClearFaults: code %d", got)
	}
}

// Delays end with the request; the method has run by then.
func TestDelayEndsWithRequest(t *testing.T) {
	for name, fault := range map[string]oktest.Fault{
		"before the response": {Delay: time.Hour},
		"within the body":     {Pause: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := oktest.NewServer(app)
				defer srv.Close()
				srv.Inject(fault)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, realAPI+"/fb.do?"+sessionless("method", "group.getInfo", "uids", "1").Encode(), nil)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				got := send(srv.InProcess(), r)
				if !errors.Is(got.err, context.DeadlineExceeded) || time.Since(start) != time.Second {
					t.Errorf("got %v after %v", got.err, time.Since(start))
				}
				if !last(t, srv).Ran {
					t.Error("the method did not run")
				}
			})
		})
	}
}

func TestFaultsFromManyGoroutines(t *testing.T) {
	srv := newServer(t)
	const calls, faults = 300, 50
	srv.Inject(oktest.Fault{Code: 2, Times: faults})
	for _, rt := range ways(srv) {
		var wg sync.WaitGroup
		for range calls / 3 {
			wg.Go(func() {
				if r := post(t, rt, realAPI, sessionless("method", "group.getInfo", "uids", "1")); r.err != nil {
					t.Error(r.err)
				}
			})
		}
		wg.Wait()
	}
	faulted := 0
	for _, c := range srv.Calls() {
		if c.Faulted {
			faulted++
		}
	}
	if len(srv.Calls()) != calls || faulted != faults {
		t.Errorf("%d calls, %d of them faulted; want %d and %d", len(srv.Calls()), faulted, calls, faults)
	}
}
