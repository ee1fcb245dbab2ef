package oktest_test

import (
	"net/url"
	"testing"

	"github.com/go-okru/okru/oktest"
)

// The server counts what ran twice, also when nobody got an answer.
func TestDuplicates(t *testing.T) {
	srv := newServer(t)
	srv.Handle("test.write", func(url.Values) (any, error) { return true, nil })
	write := func(n string) { post(t, srv.InProcess(), realAPI, sessionless("method", "test.write", "n", n)) }
	srv.Inject(oktest.Fault{Reset: true, AfterRun: true, Times: 1})
	srv.Inject(oktest.Fault{Reset: true, Times: 1})
	write("a") // runs
	write("a") // does not
	if got := srv.Duplicates("n"); got != 0 {
		t.Errorf("got %d duplicates, want 0", got)
	}
	write("a")
	write("a")
	write("b")
	if got := srv.Duplicates("n"); got != 2 {
		t.Errorf("got %d duplicates, want 2", got)
	}
	if got := srv.Duplicates("m"); got != 0 {
		t.Errorf("got %d duplicates of a parameter that nobody sends", got)
	}
	srv.ForgetCalls()
	if got := srv.Duplicates("n") + len(srv.Calls()); got != 0 {
		t.Error("ForgetCalls left something")
	}
}

// http.Transport repeats a GET on a broken connection by itself, which the
// fake must be able to show: a reset of a connection that served before.
func TestResetOfReusedConnection(t *testing.T) {
	srv := newServer(t)
	srv.Handle("test.write", func(url.Values) (any, error) { return true, nil })
	get(t, srv.Transport(), realAPI, sessionless("method", "test.write", "n", "0"))
	srv.Inject(oktest.Fault{Reset: true, AfterRun: true, Times: 1})
	if r := get(t, srv.Transport(), realAPI, sessionless("method", "test.write", "n", "1")); r.err != nil {
		t.Fatal(r.err)
	}
	if got := srv.Duplicates("n"); got != 1 {
		t.Errorf("got %d duplicates, want 1: net/http repeats the GET", got)
	}
}
