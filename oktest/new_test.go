package oktest_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-okru/okru/oktest"
)

// A recorder is the test that New gets.
type recorder struct {
	testing.TB
	cleanups []func()
	lines    []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Logf(format string, args ...any) {
	r.lines = append(r.lines, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func TestNew(t *testing.T) {
	r := &recorder{TB: t}
	srv := oktest.New(r)
	rt := srv.InProcess()
	good := srv.NewUser("anna", "secret").Token().AccessToken
	for _, token := range []string{good, "CANARYSESSION"} {
		post(t, rt, realAPI, url.Values{"method": {"users.isAppUser"}, "access_token": {token}, "application_key": {srv.App().Key}})
	}
	srv.Inject(oktest.Fault{Code: 1, Times: 1})
	post(t, rt, realAPI, url.Values{"method": {"users.isAppUser"}})
	postTo(t, rt, realAPI+"/oauth/token.do", url.Values{"client_id": {"x"}})
	postTo(t, rt, "https://up.mycdn.me/uploadImage", url.Values{"a": {"b"}})
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
	want := []string{
		"oktest: rejected users.isAppUser: PARAM_SIGNATURE : No signature specified",
		"oktest: rejected users.isAppUser: PARAM_SESSION_KEY : Invalid session key",
		"oktest: rejected oauth/token.do: client_id is not a number",
		"oktest: rejected upload/photo: NOT_MULTIPART : The upload is not multipart/form-data",
	}
	if !slices.Equal(r.lines, want) {
		t.Errorf("the log is %q, want %q", r.lines, want)
	}
	if reply := post(t, rt, realAPI, nil); reply.err == nil {
		t.Error("the server is not closed")
	}
}
