package transport

import (
	"math"
	"math/big"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru/internal/roundtrip"
)

// Whatever the settings, the attempt and the header: a pause is never negative,
// never shorter than the server asks for, and never longer than promised.
func FuzzPause(f *testing.F) {
	for _, n := range []int{1, 2, 8, 62, 63, 64, 65, math.MaxInt} {
		f.Add(n, int64(0), int64(0), "")
		f.Add(n, int64(time.Second), int64(math.MaxInt64), "1")
		f.Add(n, int64(math.MaxInt64), int64(math.MaxInt64), "31536000")
		f.Add(n, int64(-1), int64(time.Hour), "9223372036854775807")
		f.Add(n, int64(1), int64(-1), "Fri, 31 Dec 9999 23:59:59 GMT")
		f.Add(n, int64(math.MinInt64), int64(math.MinInt64), "-1")
	}
	f.Fuzz(func(t *testing.T, n int, minDelay, maxDelay int64, header string) {
		if n < 1 {
			t.Skip("attempts are counted from 1")
		}
		synctest.Test(t, func(t *testing.T) {
			rt := Retry{MinDelay: time.Duration(minDelay), MaxDelay: time.Duration(maxDelay)}.Wrap(http.DefaultTransport).(*retrier)
			r, _ := http.NewRequestWithContext(t.Context(), "GET", "https://api.ok.ru/fb.do", nil)
			resp := &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {header}}, Body: http.NoBody}
			wait, _ := roundtrip.RetryAfter(resp.Header, time.Now())
			got, ok := rt.pause(Attempt{N: n, Request: r, Response: resp})
			if longest := rt.settings.MaxDelay; ok != (wait <= longest) {
				t.Fatalf("asked to wait %v, at most %v: allowed is %v", wait, longest, ok)
			}
			most := bound(rt.settings.MinDelay, rt.settings.MaxDelay, n-1)
			if fifth := big.NewInt(int64(wait / 5)); most.Cmp(fifth) < 0 {
				most = fifth
			}
			most = new(big.Int).Add(big.NewInt(int64(wait)), most)
			if ok && (got < wait || big.NewInt(int64(got)).Cmp(most) > 0) {
				t.Fatalf("pause of %d, want one from [%d, %d]", got, wait, most)
			}
		})
	})
}

// bound is min(longest, shortest·2^n) in arithmetic that cannot overflow.
func bound(shortest, longest time.Duration, n int) *big.Int {
	b, most := big.NewInt(int64(shortest)), big.NewInt(int64(longest))
	b.Lsh(b, uint(min(n, 128)))
	if b.Cmp(most) > 0 {
		return most
	}
	return b
}

func FuzzCeiling(f *testing.F) {
	f.Add(int64(100e6), int64(10e9), 7)
	f.Add(int64(1), int64(math.MaxInt64), 62)
	f.Add(int64(1), int64(math.MaxInt64), 63)
	f.Add(int64(3), int64(math.MaxInt64), 61)
	f.Add(int64(0), int64(0), 0)
	f.Fuzz(func(t *testing.T, shortest, longest int64, n int) {
		if shortest < 0 || longest < 0 || n < 0 {
			t.Skip("Wrap and the loop see to that")
		}
		got := ceiling(time.Duration(shortest), time.Duration(longest), n)
		if want := bound(time.Duration(shortest), time.Duration(longest), n); want.Cmp(big.NewInt(int64(got))) != 0 {
			t.Errorf("ceiling(%d, %d, %d) is %d, want %d", shortest, longest, n, got, want)
		}
	})
}
