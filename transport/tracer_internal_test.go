package transport

import (
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/go-okru/okru/internal/okcall"
)

// What a Trace shows of a URL: of a call the path without ids and the parameters
// that say nothing about a user, and of any other request the host.
func TestSafeURL(t *testing.T) {
	hosts, err := okcall.ParseHosts([]string{"api.ok.ru", "localhost:8080"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ url, method, want string }{
		{"https://api.ok.ru/fb.do", "", "https://api.ok.ru/fb.do"},
		{"https://api.ok.ru/fb.do?method=users.getInfo&format=json&fields=uid&count=1&anchor=x", "users.getInfo",
			"https://api.ok.ru/fb.do?method=users.getInfo&format=json&fields=uid&count=1&anchor=x"},
		{"https://api.ok.ru/fb.do?uids=1&method=a.b&text=x%26y&sig=1&=2", "a.b", "https://api.ok.ru/fb.do?uids=REDACTED&method=a.b&text=REDACTED&sig=REDACTED&=REDACTED"},
		{"https://api.ok.ru/fb.do?flag&a%62=1&a=1&methods=1&ethod=1", "", "https://api.ok.ru/fb.do?a=REDACTED&methods=REDACTED&ethod=REDACTED"},
		{"https://api.ok.ru/api/users/getInfo?uids=1", "users.getInfo", "https://api.ok.ru/api/users/getInfo?uids=REDACTED"},
		{"http://localhost:8080/graph/chat:C1/messages?count=2&marker=3", "graph/{id}/messages", "http://localhost:8080/graph/%7Bid%7D/messages?count=2&marker=REDACTED"},
		{"https://up.mycdn.me/secret/upload?token=1", "", "https://up.mycdn.me/"},
		{"https://user:password@api.ok.ru/fb.do#x", "", "https://api.ok.ru/fb.do"},
	} {
		u, err := url.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := safeURL(hosts, u, test.method); got != test.want {
			t.Errorf("safeURL(%s) = %s, want %s", test.url, got, test.want)
		}
	}
	if got := safeURL(hosts, nil, ""); got != "" {
		t.Errorf("safeURL(nil) = %q", got)
	}
}

// A tracer has the number that a Retry above has set, and reports nothing without a
// Trace.
func TestNewTracer(t *testing.T) {
	h := new(hooks)
	for _, test := range []struct {
		options *okcall.Options
		n, want int
	}{
		{nil, 1, 0},
		{new(okcall.Options), 1, 0},
		{&okcall.Options{Tracer: h}, 1, 1},
		{&okcall.Options{Tracer: h, Attempt: 3}, 1, 3},
		{&okcall.Options{Tracer: h, Attempt: 3}, 4, 4},
	} {
		got := 0
		if tracer := newTracer(test.options, test.n); tracer != nil && tracer.hooks == h {
			got = tracer.n
		}
		if got != test.want {
			t.Errorf("newTracer(%+v, %d) has number %d, want %d", test.options, test.n, got, test.want)
		}
	}
}

// A panic, and the end of the goroutine, close what is open; a return does not.
func TestClosingOnPanic(t *testing.T) {
	for name, test := range map[string]struct {
		f    func()
		want int
	}{
		"returns": {func() {}, 0},
		"panics":  {func() { panic("hook") }, 1},
		"exits":   {runtime.Goexit, 1},
	} {
		c := new(countingCloser)
		var wg sync.WaitGroup
		wg.Go(func() {
			defer func() { _ = recover() }()
			closingOnPanic(c, test.f)
		})
		wg.Wait()
		if c.n != test.want {
			t.Errorf("%s: closed %d times, want %d", name, c.n, test.want)
		}
	}
	defer func() {
		if got := recover(); got != "hook" {
			t.Errorf("without a closer, the panic is %v", got)
		}
	}()
	closingOnPanic(nil, func() { panic("hook") })
}

type countingCloser struct{ n int }

func (c *countingCloser) Close() error { c.n++; return nil }

// Each hook of two Traces is called, the later one first.
func TestHooksOfTwoTraces(t *testing.T) {
	var calls []string
	trace := func(name string) *Trace {
		return &Trace{
			Limited: func(i LimitedInfo) { calls = append(calls, fmt.Sprint(name, " limited ", i.N)) },
			Attempt: func(i AttemptInfo) { calls = append(calls, fmt.Sprint(name, " attempt ", i.N)) },
			Renewed: func(i RenewedInfo) { calls = append(calls, fmt.Sprint(name, " renewed ", i.N)) },
			Done:    func(i DoneInfo) { calls = append(calls, fmt.Sprint(name, " done ", i.N)) },
		}
	}
	h := hooksOf(okcall.FromContext(WithTrace(WithTrace(t.Context(), trace("outer")), trace("inner"))))
	h.Waited(0, 0, nil)
	h.Attempt(AttemptInfo{N: 2})
	h.Renewed(RenewedInfo{N: 3})
	h.Done(DoneInfo{N: 4})
	want := []string{
		"inner limited 1", "outer limited 1", "inner attempt 2", "outer attempt 2", "inner renewed 3", "outer renewed 3", "inner done 4", "outer done 4",
	}
	if !slices.Equal(calls, want) {
		t.Errorf("the hooks were called as %q, want %q", calls, want)
	}
}
