package callback_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru/callback"
)

const message = `{"webhookType":"MESSAGE_CREATED","message":{"mid":"mid:1","text":"привет"}}`

// post sends an event to h from an address of OK.
func post(h http.Handler, event string, edit ...func(*http.Request)) *httptest.ResponseRecorder {
	return serve(h, http.MethodPost, "/webhook", event, append([]func(*http.Request){func(r *http.Request) {
		r.RemoteAddr = "217.20.145.193:40000"
		r.Header.Set("Content-Type", "application/json")
	}}, edit...)...)
}

func from(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = address }
}

func TestWebhookAddresses(t *testing.T) {
	proxied := func(r *http.Request) netip.Addr {
		a, _ := netip.ParseAddr(r.Header.Get("X-Real-IP"))
		return a
	}
	realIP := func(address string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Real-IP", address) }
	}
	for name, test := range map[string]struct {
		h    *callback.Webhook
		from func(*http.Request)
		want int
	}{
		"OK":                          {&callback.Webhook{}, from("217.20.145.193:1"), 200},
		"OK's second network":         {&callback.Webhook{}, from("217.20.151.175:1"), 200},
		"OK's third network":          {&callback.Webhook{}, from("217.20.153.48:1"), 200},
		"OK, IPv4-mapped":             {&callback.Webhook{}, from("[::ffff:217.20.145.193]:1"), 200},
		"OK, mapped, with a zone":     {&callback.Webhook{}, from("[::ffff:217.20.145.193%eth0]:1"), 200},
		"next to OK":                  {&callback.Webhook{}, from("217.20.145.208:1"), 403},
		"another":                     {&callback.Webhook{}, from("203.0.113.7:1"), 403},
		"no address":                  {&callback.Webhook{}, from(""), 403},
		"a socket":                    {&callback.Webhook{}, from("@"), 403},
		"allowed":                     {&callback.Webhook{Allow: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}, from("203.0.113.7:1"), 200},
		"allowed, mapped network":     {&callback.Webhook{Allow: []netip.Prefix{netip.MustParsePrefix("::ffff:203.0.113.0/120")}}, from("203.0.113.7:1"), 200},
		"no longer allowed":           {&callback.Webhook{Allow: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}, from("217.20.145.193:1"), 403},
		"IPv6":                        {&callback.Webhook{Allow: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}}, from("[2001:db8::1]:1"), 200},
		"an invalid network":          {&callback.Webhook{Allow: []netip.Prefix{{}}}, from("217.20.145.193:1"), 403},
		"by a proxy":                  {&callback.Webhook{ClientIP: proxied}, realIP("217.20.145.193"), 200},
		"by a proxy, another":         {&callback.Webhook{ClientIP: proxied}, realIP("203.0.113.7"), 403},
		"by a proxy, without header":  {&callback.Webhook{ClientIP: proxied}, realIP(""), 403},
		"a header that is not set up": {&callback.Webhook{}, func(r *http.Request) { from("203.0.113.7:1")(r); realIP("217.20.145.193")(r) }, 403},
	} {
		var calls int
		test.h.Handle = func(context.Context, json.RawMessage) error { calls++; return nil }
		if w := post(test.h, message, test.from); w.Code != test.want || calls != map[int]int{200: 1}[test.want] {
			t.Errorf("%s: status is %d, Handle was called %d times", name, w.Code, calls)
		}
	}
}

func TestWebhookRequests(t *testing.T) {
	var got string
	var errs []error
	h := &callback.Webhook{
		Confirmation: "c0nf1rm",
		Handle:       func(_ context.Context, event json.RawMessage) error { got = string(event); return nil },
		OnError:      func(err error) { errs = append(errs, err) },
	}
	for name, test := range map[string]struct {
		event string
		want  int
	}{
		"event":             {message, 200},
		"unknown type":      {`{"webhookType":7}`, 200},
		"no type":           {"\n {}", 200},
		"not JSON":          {`hello`, 400},
		"not an object":     {`[1]`, 400},
		"cut off":           {`{"webhookType":`, 400},
		"empty":             {``, 400},
		"as long as may be": {`{"x":"` + strings.Repeat("x", 1<<20-8) + `"}`, 200},
		"too long":          {`{"x":"` + strings.Repeat("x", 1<<20) + `"}`, 413},
	} {
		got = ""
		if w := post(h, test.event); w.Code != test.want || (test.want == 200) != (got != "") || got != "" && got != test.event {
			t.Errorf("%s: status is %d, event %.40q", name, w.Code, got)
		}
	}
	if w := post(h, `{"webhookType":"CONFIRMATION"}`); w.Code != 200 || w.Body.String() != "c0nf1rm" {
		t.Errorf("confirmation: %d %s", w.Code, w.Body)
	}
	if w := post(h, `{"webhookType":"CONFIRMATION"}`, from("203.0.113.7:1")); w.Code != 403 || strings.Contains(w.Body.String(), "c0nf1rm") {
		t.Errorf("confirmation for another address: %d %s", w.Code, w.Body)
	}
	if w := serve(h, "GET", "/webhook", ""); w.Code != 405 || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET: %d %v", w.Code, w.Header())
	}
	if len(errs) != 0 {
		t.Errorf("OnError got %v", errs)
	}
	h.Confirmation, h.Handle = "", nil
	if w := post(h, `{"webhookType":"CONFIRMATION"}`); w.Code != 500 || len(errs) != 1 {
		t.Errorf("without Confirmation: %d %v", w.Code, errs)
	}
	if w := post(h, message); w.Code != 503 || len(errs) != 2 {
		t.Errorf("without Handle: %d %v", w.Code, errs)
	}
}

func TestWebhookErrors(t *testing.T) {
	lost := errors.New("lost")
	for name, handle := range map[string]func(context.Context, json.RawMessage) error{
		"error":  func(context.Context, json.RawMessage) error { return lost },
		"panic":  func(context.Context, json.RawMessage) error { panic(lost) },
		"abort":  func(context.Context, json.RawMessage) error { panic(http.ErrAbortHandler) },
		"Goexit": func(context.Context, json.RawMessage) error { runtime.Goexit(); return nil },
	} {
		reported := make(chan error, 2)
		h := &callback.Webhook{Handle: handle, OnError: func(err error) { reported <- err; panic("OnError") }}
		for range 2 { // the second is handled anew
			if w := post(h, message); w.Code != http.StatusServiceUnavailable {
				t.Errorf("%s: status is %d", name, w.Code)
			}
			if err := <-reported; err == nil || (name == "error" || name == "panic") && !errors.Is(err, lost) {
				t.Errorf("%s: OnError got %v", name, err)
			}
		}
	}
}

// A Handle that takes too long goes on. Repeats wait for it, and find out that
// it succeeded.
func TestWebhookLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		fail := errors.New("failed late")
		reported := make(chan error, 10)
		h := &callback.Webhook{
			OnError: func(err error) { reported <- err },
			Handle: func(ctx context.Context, event json.RawMessage) error {
				calls.Add(1)
				time.Sleep(6 * time.Second)
				if strings.Contains(string(event), "fail") {
					return fail
				}
				return ctx.Err()
			},
		}
		start := time.Now()
		gone, cancel := context.WithCancel(t.Context())
		if w := post(h, message, func(r *http.Request) { *r = *r.WithContext(gone) }); w.Code != 503 || time.Since(start) != 4500*time.Millisecond {
			t.Errorf("late: status is %d after %v", w.Code, time.Since(start))
		}
		cancel() // the end of the request is not the end of Handle
		if w := post(h, message); w.Code != 200 || time.Since(start) != 6*time.Second {
			t.Errorf("repeat that joins: status is %d after %v", w.Code, time.Since(start))
		}
		if w := post(h, message); w.Code != 200 || calls.Load() != 1 {
			t.Errorf("repeat after success: status is %d, Handle was called %d times", w.Code, calls.Load())
		}
		if w := post(h, `{"fail":1}`); w.Code != 503 {
			t.Errorf("late failure: status is %d", w.Code)
		}
		time.Sleep(2 * time.Second)
		if err := <-reported; !errors.Is(err, fail) || len(reported) != 0 {
			t.Errorf("OnError got %v, and %d more", err, len(reported))
		}
		if post(h, `{"fail":1}`); calls.Load() != 3 {
			t.Errorf("repeat after failure: Handle was called %d times", calls.Load())
		}
		time.Sleep(2 * time.Second)
	})
}

func TestWebhookRepeatsInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		h := &callback.Webhook{Handle: func(context.Context, json.RawMessage) error {
			calls.Add(1)
			time.Sleep(time.Second)
			return nil
		}}
		codes := make(chan int)
		for range 10 {
			go func() { codes <- post(h, message).Code }()
		}
		for range 10 {
			if code := <-codes; code != 200 {
				t.Errorf("status is %d", code)
			}
		}
		if calls.Load() != 1 {
			t.Errorf("Handle was called %d times", calls.Load())
		}
		if post(h, message); calls.Load() != 2 { // no repeat: the response was 200
			t.Errorf("Handle was called %d times", calls.Load())
		}
	})
}

func TestWebhookTimeout(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{0: time.Minute, 2 * time.Minute: 2 * time.Minute, -1: 0} {
		synctest.Test(t, func(t *testing.T) {
			ended := make(chan time.Duration, 1)
			start := time.Now()
			h := &callback.Webhook{Timeout: timeout, Background: true, Handle: func(ctx context.Context, _ json.RawMessage) error {
				select {
				case <-ctx.Done():
					ended <- time.Since(start)
				case <-time.After(time.Hour):
					ended <- 0
				}
				return nil
			}}
			if w := post(h, message); w.Code != 200 || time.Since(start) != 0 {
				t.Errorf("in the background: status is %d after %v", w.Code, time.Since(start))
			}
			if got := <-ended; got != want {
				t.Errorf("Timeout %v: the context ended after %v", timeout, got)
			}
		})
	}
}

// What is remembered of late events is bounded.
func TestWebhookForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		h := &callback.Webhook{Handle: func(context.Context, json.RawMessage) error {
			calls.Add(1)
			time.Sleep(5 * time.Second)
			return nil
		}}
		event := func(i int) string { return `{"n":` + strconv.Itoa(i) + `}` }
		for i := range 1001 {
			go post(h, event(i))
			time.Sleep(time.Millisecond) // so that they end in this order
		}
		time.Sleep(10 * time.Second)
		if code := post(h, event(1000)).Code; code != 200 || calls.Load() != 1001 {
			t.Errorf("the last event: status is %d, Handle was called %d times", code, calls.Load())
		}
		if post(h, event(0)); calls.Load() != 1002 {
			t.Errorf("the first event is still remembered: Handle was called %d times", calls.Load())
		}
		time.Sleep(time.Second)
	})
}
