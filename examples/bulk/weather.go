package main

import (
	"net/http"
	"strings"
	"sync/atomic"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

// setWeather makes the fake limit the rate and fail now and then.
func setWeather(fake *oktest.Server) {
	fake.Limit(oktest.Limit{PerSecond: 15, Burst: 5, Status: http.StatusTooManyRequests})
	for _, f := range []oktest.Fault{
		{Match: nth(10), Reset: true},
		{Match: nth(20), Reset: true, AfterRun: true}, // it ran, but the response is lost
		{Match: nth(30), Status: http.StatusServiceUnavailable},
		{Match: nth(40), Code: okerrors.CodeFloodBlocked}, // repeated after 5 to 10 s, while the others go on
		{Match: nth(50), Code: okerrors.CodeService},
	} {
		fake.Inject(f)
	}
	// Once more than Retry repeats by default: a case for the next round.
	fake.Inject(oktest.Fault{Match: about(residents(1)[0]), Times: 4, Code: okerrors.CodeService})
}

// nth matches one call.
func nth(n int64) func(oktest.Call) bool {
	var seen atomic.Int64
	return func(oktest.Call) bool { return seen.Add(1) == n }
}

// about matches the calls that ask for a user.
func about(id string) func(oktest.Call) bool {
	return func(c oktest.Call) bool { return strings.Contains(c.Params.Get("uids"), id) }
}
