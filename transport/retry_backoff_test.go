package transport_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru/transport"
)

// pauses returns the pauses that a call makes, and how long it takes.
func pauses(t *testing.T, retry transport.Retry, outcomes ...outcome) (all []time.Duration, took time.Duration) {
	t.Helper()
	retry.OnRetry = func(a transport.Attempt) { all = append(all, a.Delay) }
	base := &script{outcomes: outcomes}
	start := time.Now()
	resp, err := retry.Wrap(base).RoundTrip(newGet(t, t.Context(), readURL))
	if err == nil {
		resp.Body.Close()
	}
	return all, time.Since(start)
}

func TestFullJitter(t *testing.T) {
	for _, test := range []struct {
		name   string
		retry  transport.Retry
		bounds []time.Duration
	}{
		{"defaults", transport.Retry{Max: 8}, []time.Duration{100e6, 200e6, 400e6, 800e6, 1600e6, 3200e6, 6400e6, 10e9}},
		{"settings", transport.Retry{MinDelay: time.Second, MaxDelay: 3 * time.Second}, []time.Duration{1e9, 2e9, 3e9}},
		{"bounds the wrong way round", transport.Retry{MinDelay: time.Minute, MaxDelay: time.Second}, []time.Duration{1e9, 1e9, 1e9}},
		{"no MinDelay", transport.Retry{MinDelay: -1}, []time.Duration{0, 0, 0}},
		{"no MaxDelay", transport.Retry{MaxDelay: -1}, []time.Duration{0, 0, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				most := make([]time.Duration, len(test.bounds))
				least := append([]time.Duration(nil), test.bounds...)
				for range 200 {
					all, took := pauses(t, test.retry, respondWith(500, ""))
					if len(all) != len(test.bounds) {
						t.Fatalf("%d pauses, want %d", len(all), len(test.bounds))
					}
					for i, d := range all {
						if d < 0 || d > test.bounds[i] {
							t.Fatalf("pause %d is %v, want one from [0, %v]", i, d, test.bounds[i])
						}
						most[i], least[i] = max(most[i], d), min(least[i], d)
						took -= d
					}
					if took != 0 {
						t.Fatalf("the call took %v more than its pauses", took)
					}
				}
				for i, bound := range test.bounds { // odds of a false alarm: 1e-9
					if most[i] < bound*8/10 || least[i] > bound*2/10 {
						t.Errorf("pause %d ranges from %v to %v, want all of [0, %v]", i, least[i], most[i], bound)
					}
				}
			})
		})
	}
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for value, least := range map[string]time.Duration{"3": 3e9, "0": 0, "10": 10e9} {
			for range 50 {
				all, _ := pauses(t, transport.Retry{Max: 1}, respondWith(429, "", "Retry-After", value))
				if len(all) != 1 {
					t.Fatalf("Retry-After %q: %d pauses, want 1", value, len(all))
				}
				most := least + max(100*time.Millisecond, least/5)
				if d := all[0]; d < least || d > most {
					t.Errorf("Retry-After %q: pause of %v, want one from [%v, %v]", value, d, least, most)
				}
			}
		}
	})
}

func TestRetryAfterDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		date := time.Now().Add(4 * time.Second).UTC().Format(http.TimeFormat)
		all, _ := pauses(t, transport.Retry{Max: 1}, respondWith(503, "", "Retry-After", date))
		if len(all) != 1 || all[0] < 4*time.Second || all[0] > 4800*time.Millisecond {
			t.Errorf("pauses %v, want one of 4 s and up to a fifth more", all)
		}
	})
}

// A server that asks for more than MaxDelay gets no second attempt, and the
// caller no delay.
func TestRetryAfterTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, value := range []string{"11", "3600", "99999999999", "9223372036854775807", "Fri, 31 Dec 9999 23:59:59 GMT"} {
			base := &script{outcomes: []outcome{respondWith(429, "later", "Retry-After", value)}}
			start := time.Now()
			resp, err := transport.Retry{}.Wrap(base).RoundTrip(newGet(t, t.Context(), readURL))
			if err != nil {
				t.Fatal(err)
			}
			if got := finish(t, resp); got != "later" || base.attempts() != 1 || time.Since(start) != 0 {
				t.Errorf("Retry-After %q: body %q, %d attempts, %v; want the response at once", value, got, base.attempts(), time.Since(start))
			}
		}
	})
}

func TestFloodMeansLongPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 200 {
			all, _ := pauses(t, transport.Retry{MaxDelay: 8 * time.Second}, codeResponse(200, 8))
			if len(all) != 3 {
				t.Fatalf("%d pauses, want 3", len(all))
			}
			for _, d := range all {
				if d < 4*time.Second || d > 8*time.Second {
					t.Errorf("pause of %v, want one from the upper half of 8 s", d)
				}
			}
		}
		if all, _ := pauses(t, transport.Retry{MaxDelay: -1}, codeResponse(200, 8)); len(all) != 0 {
			t.Errorf("without pauses, code 8 was repeated after %v", all)
		}
	})
}

func TestRetryHonoursDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			name    string
			outcome outcome
		}{
			{"response", respondWith(503, "later", "Retry-After", "5")},
			{"error", failure(errBroken)},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			base := &script{outcomes: []outcome{test.outcome}}
			var bodies tracked
			start := time.Now()
			resp, err := transport.Retry{Backoff: fiveSeconds}.Wrap(base).RoundTrip(bodies.post(t, ctx, "https://api.ok.ru/api/users/getInfo", "uids=1"))
			if time.Since(start) != 0 || base.attempts() != 1 {
				t.Errorf("%s: %d attempts in %v, want 1 at once", test.name, base.attempts(), time.Since(start))
			}
			if !errors.Is(err, test.outcome.err) {
				t.Errorf("%s: error %v", test.name, err)
			}
			if err == nil && finish(t, resp) != "later" {
				t.Errorf("%s: the response lost its body", test.name)
			}
			bodies.check(t)
			cancel()
		}
	})
}

func fiveSeconds(time.Duration, time.Duration, int, *http.Response) time.Duration {
	return 5 * time.Second
}

// A date counts from the Date of its response: the clock here may be wrong.
func TestRetryAfterDateOfAnotherClock(t *testing.T) {
	for _, skew := range []time.Duration{-24 * time.Hour, -time.Hour, -2 * time.Second, 0, time.Minute, time.Hour, 1000 * time.Hour} {
		for _, form := range []string{http.TimeFormat, "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC} {
			synctest.Test(t, func(t *testing.T) {
				there := time.Now().Add(skew).UTC().Truncate(time.Second)
				all, _ := pauses(t, transport.Retry{Max: 1}, respondWith(503, "", "Date", there.Format(http.TimeFormat), "Retry-After", there.Add(5*time.Second).Format(form)))
				if len(all) != 1 || all[0] < 5*time.Second || all[0] > 6*time.Second {
					t.Errorf("clock %v off: pauses %v, want one of 5 s and up to a fifth more", skew, all)
				}
			})
		}
	}
}

// Callers that are given the same time do not all come back at it.
func TestRetryAfterSpreadsCallers(t *testing.T) {
	for _, seconds := range []int{1, 5, 9} {
		synctest.Test(t, func(t *testing.T) {
			var first, last time.Duration
			for i := range 100 {
				all, _ := pauses(t, transport.Retry{Max: 1}, respondWith(429, "", "Retry-After", strconv.Itoa(seconds)))
				if i == 0 {
					first, last = all[0], all[0]
				}
				first, last = min(first, all[0]), max(last, all[0])
			}
			if spread := time.Duration(seconds) * time.Second / 5; last-first < spread*8/10 {
				t.Errorf("Retry-After %d: all come back within %v, want about %v", seconds, last-first, spread)
			}
		})
	}
}
