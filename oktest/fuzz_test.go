package oktest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/go-okru/okru/oktest"
)

// Whatever a call looks like, it gets JSON in status 200, header and body
// agree on its code, and it is in the journal once.
func FuzzCall(f *testing.F) {
	srv := oktest.NewServer(app)
	f.Cleanup(srv.Close)
	token := srv.NewUser("anna", "secret").Token()
	f.Add("/fb.do", serverSigned(token, "method", "users.getInfo", "uids", "1,2").Encode(), "")
	f.Add("/fb.do", "method=batch.execute", sessionless("methods", `[{"method":"users.getInfo","params":{"uids":{"supplier":"a.b"}}}]`).Encode())
	f.Add("/api/group/getInfo", "application_key="+app.Key+"&uids=54000000000001&fields=name", "")
	f.Add("/api/group/getMembers", "uid=1&count=-1&anchor=99999999999999999999", "a=1&a=2")
	f.Add("/fb.do", "a=1;b=2", "%zz")
	f.Fuzz(func(t *testing.T, path, query, form string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, realAPI+"/fb.do", strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", "application/json")
		r.URL.RawQuery = query
		if strings.HasPrefix(path, "/api/") {
			r.URL.Path = path
		}
		srv.ForgetCalls()
		got := send(srv.InProcess(), r)
		call := last(t, srv)
		if strings.EqualFold(call.Params.Get("format"), "xml") {
			return
		}
		if code := got.code(t); got.StatusCode != http.StatusOK || code != call.Code {
			t.Errorf("got status %d, code %d; the journal has %v", got.StatusCode, code, call)
		}
		if got.body != "" && !json.Valid([]byte(got.body)) {
			t.Errorf("not JSON: %s", got.body)
		}
		if len(srv.Calls()) != 1 {
			t.Errorf("%d calls in the journal", len(srv.Calls()))
		}
	})
}
