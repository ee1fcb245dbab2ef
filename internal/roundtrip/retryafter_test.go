package roundtrip_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/go-okru/okru/internal/roundtrip"
)

var now = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func header(value string) http.Header { return http.Header{"Retry-After": {value}} }

func TestParse(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"0":                                  0,
		"1":                                  time.Second,
		" 120\t":                             2 * time.Minute,
		"007":                                7 * time.Second,
		"1.5":                                1500 * time.Millisecond,
		"0.0000000019":                       time.Nanosecond,
		"31536000":                           roundtrip.MaxRetryAfter,
		"31536000.5":                         roundtrip.MaxRetryAfter,
		"99999999999":                        roundtrip.MaxRetryAfter,
		"9223372036854775808":                roundtrip.MaxRetryAfter,
		"18446744073709551616":               roundtrip.MaxRetryAfter,
		"999999999999999999999999999999.999": roundtrip.MaxRetryAfter,
		"Sun, 01 Mar 2026 12:00:30 GMT":      30 * time.Second,
		"Sunday, 01-Mar-26 12:00:30 GMT":     30 * time.Second,
		"Sun Mar  1 12:00:30 2026":           30 * time.Second,
		"Sun, 01 Mar 2026 11:59:59 GMT":      0,
		"Thu, 01 Jan 1970 00:00:00 GMT":      0,
		"Fri, 31 Dec 9999 23:59:59 GMT":      roundtrip.MaxRetryAfter,
	} {
		if d, ok := roundtrip.RetryAfter(header(value), now); !ok || d != want {
			t.Errorf("Parse(%q) = %v, %t; want %v, true", value, d, ok, want)
		}
	}
}

func TestParseSaysNothing(t *testing.T) {
	for _, value := range []string{
		"", " ", "-1", "+1", "-0.5", ".5", "1.", "1.5.5", "1e3", "0x10", "1 s", "1,2", "soon", "１", "NaN", "Inf",
		"2026-03-01T12:00:30Z", "Sun, 01 Mar 2026 12:00:30", "\x00",
	} {
		if d, ok := roundtrip.RetryAfter(header(value), now); ok || d != 0 {
			t.Errorf("Parse(%q) = %v, %t; want 0, false", value, d, ok)
		}
	}
	if d, ok := roundtrip.RetryAfter(nil, now); ok || d != 0 {
		t.Errorf("Parse without a header = %v, %t; want 0, false", d, ok)
	}
}

func TestParseTakesTheFirst(t *testing.T) {
	h := http.Header{"Retry-After": {"2", "3"}}
	if d, ok := roundtrip.RetryAfter(h, now); !ok || d != 2*time.Second {
		t.Errorf("Parse of two = %v, %t; want the first, 2s", d, ok)
	}
}

// A date counts from the Date of the response, and a number of seconds does not.
func TestParseCountsFromDate(t *testing.T) {
	for _, test := range []struct {
		date, value string
		want        time.Duration
	}{
		{"Sun, 01 Mar 2026 11:00:00 GMT", "Sun, 01 Mar 2026 11:00:30 GMT", 30 * time.Second},
		{"Sun, 01 Mar 2026 13:00:00 GMT", "Sun, 01 Mar 2026 12:00:30 GMT", 0},
		{"Sun, 01 Mar 2026 13:00:00 GMT", "Sun, 01 Mar 2026 13:00:30 GMT", 30 * time.Second},
		{"Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", roundtrip.MaxRetryAfter},
		{"yesterday", "Sun, 01 Mar 2026 12:00:30 GMT", 30 * time.Second},
		{"", "Sun, 01 Mar 2026 12:00:30 GMT", 30 * time.Second},
		{"Sun, 01 Mar 2026 11:00:00 GMT", "7", 7 * time.Second},
	} {
		h := http.Header{"Retry-After": {test.value}, "Date": {test.date}}
		if d, ok := roundtrip.RetryAfter(h, now); !ok || d != test.want {
			t.Errorf("%q at %q = %v, %t; want %v", test.value, test.date, d, ok, test.want)
		}
	}
}

// FuzzParse checks that a pause is never negative nor too long, and that whole
// seconds mean what strconv reads in them.
func FuzzParse(f *testing.F) {
	for _, value := range []string{
		"0", "1", "120", "1.5", "-1", "99999999999", "soon", "1.", ".1",
		"Sun, 01 Mar 2026 12:00:30 GMT", "Sunday, 01-Mar-26 12:00:30 GMT", "Sun Mar  1 12:00:30 2026",
	} {
		f.Add(value, int64(0))
	}
	f.Fuzz(func(t *testing.T, value string, shift int64) {
		at := now.Add(time.Duration(shift))
		d, ok := roundtrip.RetryAfter(header(value), at)
		if d < 0 || d > roundtrip.MaxRetryAfter || !ok && d != 0 {
			t.Errorf("Parse(%q) at %v = %v, %t", value, at, d, ok)
		}
		n, err := strconv.ParseUint(value, 10, 32)
		if want := min(time.Duration(n)*time.Second, roundtrip.MaxRetryAfter); err == nil && (!ok || d != want) {
			t.Errorf("Parse(%q) = %v, %t; want %v, true", value, d, ok, want)
		}
	})
}
