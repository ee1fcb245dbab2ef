package oktest_test

import (
	"testing"
	"testing/synctest"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

// burst makes n calls at once and returns how many were allowed.
func burst(t *testing.T, srv *oktest.Server, n int) (allowed int) {
	t.Helper()
	for range n {
		if get(t, srv.InProcess(), realAPI, sessionless("method", "group.getInfo", "uids", "1")).code(t) == 0 {
			allowed++
		}
	}
	return allowed
}

func TestLimits(t *testing.T) {
	type step struct {
		sleep       time.Duration
		calls, want int
	}
	for name, test := range map[string]struct {
		limits []oktest.Limit
		steps  []step
	}{
		"bucket": {[]oktest.Limit{{PerSecond: 10, Burst: 5}}, []step{
			{0, 20, 5}, {100 * time.Millisecond, 20, 1}, {99 * time.Millisecond, 20, 0}, {time.Millisecond, 20, 1}, {time.Hour, 20, 5}}},
		"bucket of one": {[]oktest.Limit{{PerSecond: 2}}, []step{{0, 5, 1}, {500 * time.Millisecond, 5, 1}}},
		"window": {[]oktest.Limit{{Calls: 50}}, []step{
			{900 * time.Millisecond, 60, 50}, {99 * time.Millisecond, 60, 0}, {time.Millisecond, 60, 50}, {10 * time.Second, 60, 50}}},
		"both": {[]oktest.Limit{{PerSecond: 10, Burst: 5}, {Calls: 7, Window: time.Hour}}, []step{
			{0, 20, 5}, {10 * time.Second, 20, 2}, {time.Minute, 20, 0}, {time.Hour, 20, 5}}},
		"another method": {[]oktest.Limit{{PerSecond: 1, Method: "users.getInfo"}}, []step{{0, 5, 5}}},
		"none":           {nil, []step{{0, 100, 100}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := oktest.NewServer(app)
				defer srv.Close()
				srv.Limit(test.limits...)
				for i, s := range test.steps {
					time.Sleep(s.sleep)
					if got := burst(t, srv, s.calls); got != s.want {
						t.Errorf("step %d: %d calls allowed, want %d", i, got, s.want)
					}
				}
			})
		})
	}
}

func TestLimitRejections(t *testing.T) {
	for name, test := range map[string]struct {
		limit  oktest.Limit
		status int
		code   okerrors.Code
		after  string
	}{
		"default":      {oktest.Limit{Calls: 1, Window: time.Minute}, 200, okerrors.CodeFloodBlocked, ""},
		"quota":        {oktest.Limit{Calls: 1, Window: time.Minute, Code: 11}, 200, okerrors.CodeLimitReached, ""},
		"status":       {oktest.Limit{Calls: 1, Window: time.Minute, Status: 429, RetryAfter: 7 * time.Second}, 429, 0, "7"},
		"wait":         {oktest.Limit{Calls: 1, Window: time.Minute, Status: 429, TellWait: true}, 429, 0, "60"},
		"wait, bucket": {oktest.Limit{PerSecond: 0.25, TellWait: true}, 200, okerrors.CodeFloodBlocked, "4"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := oktest.NewServer(app)
				defer srv.Close()
				srv.Limit(test.limit)
				burst(t, srv, 1)
				r := get(t, srv.InProcess(), realAPI, sessionless("method", "group.getInfo", "uids", "1"))
				if r.StatusCode != test.status || r.code(t) != test.code || r.Header.Get("Retry-After") != test.after {
					t.Errorf("got status %d, Retry-After %q: %s", r.StatusCode, r.Header.Get("Retry-After"), r.body)
				}
				if call := last(t, srv); call.Ran || call.Status != test.status || call.Code != test.code {
					t.Errorf("the journal has %v", call)
				}
			})
		})
	}
}

func TestLimitScopes(t *testing.T) {
	for scope, want := range map[oktest.Scope]int{
		oktest.PerApplication: 1,
		oktest.PerIP:          1,
		oktest.PerUser:        2,
		oktest.PerSession:     3,
	} {
		srv := newServer(t)
		srv.Limit(oktest.Limit{Calls: 1, Window: 24 * 365 * time.Hour, Per: scope})
		anna, boris := srv.NewUser("anna", "secret"), srv.NewUser("boris", "secret")
		allowed := 0
		for _, u := range []*oktest.User{anna, anna, boris} {
			if get(t, srv.InProcess(), realAPI, serverSigned(u.Token(), "method", "events.get")).code(t) == 0 {
				allowed++
			}
		}
		if allowed != want {
			t.Errorf("scope %d: %d calls allowed, want %d", scope, allowed, want)
		}
	}
}

// A call that is rejected for another reason takes nothing from the limit.
func TestLimitCountsCallsThatRun(t *testing.T) {
	srv := newServer(t)
	srv.Limit(oktest.Limit{Calls: 1, Window: 24 * 365 * time.Hour})
	if r := get(t, srv.InProcess(), realAPI, values("application_key", "x")); r.code(t) != okerrors.CodeParamAPIKey {
		t.Fatal(r.body)
	}
	if got := burst(t, srv, 3); got != 1 {
		t.Errorf("%d calls allowed, want 1", got)
	}
}
