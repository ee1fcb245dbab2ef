package oktest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

func TestRejections(t *testing.T) {
	srv := newServer(t)
	anna := srv.NewUser("anna", "secret")
	token, other := anna.Token(), srv.NewUser("boris", "secret").Token()
	expired, revoked := anna.Token(), anna.Token()
	srv.Expire(expired.AccessToken)
	srv.Revoke(revoked.AccessToken)

	change := func(params url.Values, pairs ...string) url.Values {
		for i := 0; i < len(pairs); i += 2 {
			if params.Set(pairs[i], pairs[i+1]); pairs[i+1] == "-" {
				params.Del(pairs[i])
			}
		}
		return params
	}
	getInfo := func() url.Values { return serverSigned(token, "method", "users.getInfo", "uids", "570000000001") }
	for name, test := range map[string]struct {
		params url.Values
		code   okerrors.Code
		text   string
	}{
		"nothing wrong":             {getInfo(), 0, ""},
		"a value changed":           {change(getInfo(), "uids", "570000000002"), 104, ""},
		"a parameter added":         {change(getInfo(), "fields", "name"), 104, ""},
		"a parameter taken away":    {change(getInfo(), "format", "-"), 104, ""},
		"a parameter renamed":       {change(getInfo(), "uids", "-", "Uids", "570000000001"), 104, ""},
		"sig taken away":            {change(getInfo(), "sig", "-"), 104, "No signature specified"},
		"sig empty":                 {change(getInfo(), "sig", ""), 104, ""},
		"another's session":         {change(getInfo(), "access_token", other.AccessToken), 104, ""},
		"unknown session":           {change(getInfo(), "access_token", "-s-unknown"), 103, "Invalid session key"},
		"no session":                {change(getInfo(), "access_token", "-"), 453, ""},
		"empty session":             {change(getInfo(), "access_token", ""), 100, "access_token"},
		"two sessions":              {change(getInfo(), "session_key", other.AccessToken), 100, "session_key"},
		"application's secret":      {signed(values("method", "events.get"), token.AccessToken, app.Secret), 104, ""},
		"expired session":           {serverSigned(expired, "method", "events.get"), 102, "Session expired"},
		"revoked session":           {serverSigned(revoked, "method", "events.get"), 103, ""},
		"session required":          {sessionless("method", "events.get"), 453, ""},
		"session required, no sig":  {values("application_key", app.Key, "method", "events.get"), 453, ""},
		"session of external app":   {sessionless("method", "friends.get"), 453, ""},
		"session prohibited":        {serverSigned(token, "method", "notifications.sendSimple"), 451, ""},
		"session optional, with":    {serverSigned(token, "method", "group.getInfo", "uids", "1"), 0, ""},
		"session optional, without": {sessionless("method", "group.getInfo", "uids", "1"), 0, ""},
		"no application":            {change(getInfo(), "application_key", "-"), 101, "No application key"},
		"unknown application":       {change(getInfo(), "application_key", "X"), 101, "Application not exist"},
		"unknown method":            {serverSigned(token, "method", "users.nope"), 3, "users.nope not found"},
		"no method":                 {serverSigned(token), 3, ""},
		"a secret sent":             {change(getInfo(), "application_secret_key", "x"), 100, "must never be sent"},
		"scope not granted":         {serverSigned(token, "method", "users.setStatus", "status", "x"), 10, "'SET_STATUS'"},
		"not implemented by oktest": {serverSigned(token, "method", "users.getGuests"), 3, "Server.Handle"},
		"too many ids":              {serverSigned(token, "method", "users.getInfo", "uids", strings.Repeat("1,", 101)), 100, "at most 100"},
		"ids missing":               {serverSigned(token, "method", "users.getInfo"), 100, "uids"},
		"bad id":                    {serverSigned(token, "method", "users.getInfo", "uids", "x"), 110, ""},
	} {
		for way, do := range map[string]func(*testing.T, http.RoundTripper, string, url.Values) reply{"GET": get, "POST": post} {
			t.Run(name+"/"+way, func(t *testing.T) {
				r := do(t, srv.InProcess(), realAPI, test.params)
				if got := r.code(t); got != test.code {
					t.Errorf("got code %v, want %d: %s", got, test.code, r.body)
				}
				if !strings.Contains(r.body, test.text) {
					t.Errorf("the response lacks %q: %s", test.text, r.body)
				}
				if got := last(t, srv).Code; got != test.code {
					t.Errorf("the journal has code %v, want %d", got, test.code)
				}
				if r.StatusCode != http.StatusOK {
					t.Errorf("got status %d, want 200", r.StatusCode)
				}
			})
		}
	}
}

// Requests that no client should build are rejected by what they look like.
func TestMalformedCalls(t *testing.T) {
	srv := newServer(t)
	srv.Configure(oktest.Settings{AllowUnsigned: true})
	srv.Handle("test.echo", func(p url.Values) (any, error) { return p, nil })
	for name, test := range map[string]struct {
		query, form string
		code        okerrors.Code
		text        string
	}{
		"repeated in the query":         {"application_key=" + app.Key + "&method=test.echo&a=1&a=2", "", 100, "a comes more than once"},
		"repeated in query and form":    {"application_key=" + app.Key + "&method=test.echo&a=1", "a=1", 100, "a comes more than once"},
		"semicolon":                     {"application_key=" + app.Key + ";method=test.echo", "", 4, "%3B"},
		"bad escape":                    {"application_key=" + app.Key + "&method=test.echo&a=%zz", "", 4, "%25"},
		"semicolon in the form":         {"application_key=" + app.Key + "&method=test.echo", "a=1;b=2", 4, "form"},
		"query and form are united":     {"application_key=" + app.Key, "method=test.echo", 0, ""},
		"everything in the form":        {"", "method=test.echo&application_key=" + app.Key, 0, ""},
		"method and application, GET":   {"method=test.echo&application_key=" + app.Key, "", 0, ""},
		"a raw plus is a space":         {"method=test.echo&application_key=" + app.Key + "&a=1+2", "", 0, `"1 2"`},
		"a name that is none of OK's":   {"method=test.echo&application_key=" + app.Key + "&%D1%8F=1", "", 0, "я"},
		"a session key that is no text": {"method=test.echo&application_key=" + app.Key + "&access_token=%FF%00", "", 103, ""},
	} {
		t.Run(name, func(t *testing.T) {
			method := http.MethodGet
			if test.form != "" {
				method = http.MethodPost
			}
			r, err := http.NewRequestWithContext(t.Context(), method, realAPI+"/fb.do?"+test.query, strings.NewReader(test.form))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
			got := send(srv.InProcess(), r)
			if code := got.code(t); code != test.code || !strings.Contains(got.body, test.text) {
				t.Errorf("got %s, want code %d and %q", got.body, test.code, test.text)
			}
		})
	}
}

func TestPathForm(t *testing.T) {
	srv := newServer(t)
	token := srv.NewUser("anna", "secret").Token()
	for path, test := range map[string]struct {
		params url.Values
		code   okerrors.Code
	}{
		"/api/users/getLoggedInUser":   {serverSigned(token), 0},
		"/api/users/getLoggedInUser#2": {serverSigned(token, "method", "users.getLoggedInUser"), 0},
		"/api/users/getLoggedInUser#3": {serverSigned(token, "method", "users.getInfo"), 100},
		"/api/users.getLoggedInUser":   {serverSigned(token), 3},
		"/api/users/get/LoggedInUser":  {serverSigned(token), 3},
		"/api/users/":                  {serverSigned(token), 3},
		"/api/":                        {serverSigned(token), 3},
	} {
		address, _, _ := strings.Cut(path, "#")
		r := postTo(t, srv.InProcess(), realAPI+address, test.params)
		if got := r.code(t); got != test.code {
			t.Errorf("%s: got code %v, want %d: %s", path, got, test.code, r.body)
		}
	}
}

func TestUnsignedCalls(t *testing.T) {
	srv := newServer(t)
	srv.NewUser("anna", "secret")
	srv.Handle("test.echo", func(url.Values) (any, error) { return true, nil })
	public := func(method string, pairs ...string) url.Values {
		p := values(pairs...)
		p.Set("application_key", app.Key)
		p.Set("method", method)
		return p
	}
	for _, test := range []struct {
		allow  bool
		params url.Values
		code   okerrors.Code
	}{
		{true, public("test.echo"), 0},
		{true, public("group.getInfo", "uids", "54000000000001"), 0},
		{true, public("sdk.init", "session_data", `{"device_id":"x"}`), 0},
		{false, public("test.echo"), 104},
		{false, public("group.getInfo", "uids", "54000000000001"), 104},
		{false, public("auth.login", "user_name", "anna", "password", "secret"), 0},
		{false, public("auth.anonymLogin"), 3}, // not implemented
		{false, public("sdk.init", "session_data", `{"device_id":"x"}`), 0},
		{false, sessionless("method", "group.getInfo", "uids", "54000000000001"), 0},
	} {
		srv.Configure(oktest.Settings{AllowUnsigned: test.allow})
		r := get(t, srv.InProcess(), realAPI, test.params)
		if got := r.code(t); got != test.code {
			t.Errorf("AllowUnsigned %t, %s: got code %v, want %d", test.allow, test.params.Get("method"), got, test.code)
		}
	}
}

func TestCircuitsInJournal(t *testing.T) {
	srv := newServer(t)
	srv.Configure(oktest.Settings{AllowUnsigned: true})
	token := srv.NewUser("anna", "secret").Token()
	for want, params := range map[string]url.Values{
		"server":      serverSigned(token, "method", "events.get"),
		"client":      clientSigned(token, "method", "events.get"),
		"sessionless": sessionless("method", "group.getInfo", "uids", "1"),
		"unsigned":    values("application_key", app.Key, "method", "group.getInfo", "uids", "1"),
	} {
		if r := get(t, srv.InProcess(), realAPI, params); r.code(t) != 0 {
			t.Errorf("%s: rejected: %s", want, r.body)
		}
		if got := last(t, srv).Circuit; got != want {
			t.Errorf("got circuit %q, want %q", got, want)
		}
	}
	// A session key counts as a session and is signed.
	key := signed(values("method", "events.get", "session_key", token.AccessToken), "", md5sum(token.AccessToken+app.Secret))
	if r := get(t, srv.InProcess(), realAPI, key); r.code(t) != 0 {
		t.Errorf("session_key: rejected: %s", r.body)
	}
}

func TestNativeApplicationNeedsFewerSessions(t *testing.T) {
	srv := newServer(t)
	srv.Configure(oktest.Settings{Native: true})
	r := get(t, srv.InProcess(), realAPI, sessionless("method", "users.getInfo", "uids", "570000000001"))
	if r.code(t) != 0 {
		t.Errorf("users.getInfo without a session: %s", r.body)
	}
	r = get(t, srv.InProcess(), realAPI, sessionless("method", "events.get"))
	if r.code(t) != okerrors.CodeSessionRequired {
		t.Errorf("events.get without a session: %s", r.body)
	}
}

// The table agrees with what OK documents, and no implementation is for a method that
// OK does not have.
func TestMethodTable(t *testing.T) {
	table := oktest.Demands()
	if len(table) != 199 {
		t.Errorf("%d methods in the table, want 199", len(table))
	}
	kinds := []string{"required", "optional", "prohibited", "external", "any"}
	for name, d := range table {
		if !slices.Contains(kinds, string(d.Session())) {
			t.Errorf("%s: unknown session need %q", name, d.Session())
		}
	}
	for _, name := range oktest.Implemented() {
		if _, ok := table[name]; !ok {
			t.Errorf("oktest implements %s, which is not in the table", name)
		}
	}
}

// A handler that returns a nil *okerrors.Error has not failed, and host names
// are the same in capitals.
func TestHandlerReturnsNilError(t *testing.T) {
	srv := newServer(t)
	srv.Configure(oktest.Settings{AllowUnsigned: true})
	srv.Handle("test.run", func(url.Values) (any, error) {
		var e *okerrors.Error
		return "fine", e
	})
	r, err := http.NewRequest("GET", "https://API.ok.ru/fb.do?method=test.run&application_key="+app.Key, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := srv.InProcess().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); string(b) != `"fine"` {
		t.Errorf("got %s", b)
	}
}

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
