package roundtrip

// This file reads the header Retry-After, for the layers that wait: Retry, the
// limiters and uploads.

import (
	"net/http"
	"strings"
	"time"
)

// MaxRetryAfter is the longest pause that RetryAfter returns. A longer one is cut to
// it, so that sums of pauses and times cannot overflow.
const MaxRetryAfter = 365 * 24 * time.Hour

// RetryAfter returns the pause that the first Retry-After of h asks for: a
// number of seconds, with or without a fraction, or a date in one of the three
// forms of HTTP (RFC 9110, section 10.2.3). A date counts from the Date of h,
// since the clock of the server may differ from ours, or else from now. A date
// that has passed asks for no pause, which is not the same as no header.
// RetryAfter returns false if there is no such header, or one that is neither:
// a negative number, a word.
func RetryAfter(h http.Header, now time.Time) (d time.Duration, ok bool) {
	value := strings.Trim(h.Get("Retry-After"), " \t")
	if value == "" {
		return 0, false
	}
	if d, ok := seconds(value); ok {
		return d, true
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent
	}
	return min(max(date.Sub(now), 0), MaxRetryAfter), true
}

// seconds parses a number of seconds, with or without a fraction. RFC 9110 has no
// fraction, but some servers send one.
func seconds(value string) (d time.Duration, ok bool) {
	whole, fraction, point := strings.Cut(value, ".")
	if !digits(whole) || point && !digits(fraction) {
		return 0, false
	}
	// Not strconv: a number of any length is valid, and asks for the longest
	// pause.
	for _, c := range whole {
		if d = d*10 + time.Duration(c-'0')*time.Second; d >= MaxRetryAfter {
			return MaxRetryAfter, true
		}
	}
	unit := time.Second
	for _, c := range fraction {
		unit /= 10
		d += time.Duration(c-'0') * unit
	}
	return min(d, MaxRetryAfter), true
}

// digits reports whether s consists of digits, at least one.
func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
