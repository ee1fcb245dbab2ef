package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// need skips a test if a program is missing, or fails it in the gate, which
// installs them.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("OKRU_REQUIRE") != "" {
			t.Fatalf("this test needs %s", program)
		}
		t.Skipf("this test needs %s; with OKRU_REQUIRE=1 it fails without", program)
	}
}

// lenient returns a shell whose secrets are not checked: those of the fake are
// printed.
func lenient(t *testing.T) *shell {
	s := newShell(t)
	s.secrets = nil
	return s
}

func TestFakeWithPython(t *testing.T) {
	need(t, "python3")
	if out := lenient(t).must("fake", "--", "python3", "testdata/fake.py"); !strings.HasPrefix(out, "ok ") {
		t.Error(out)
	}
}

func TestFakeWithCurl(t *testing.T) {
	need(t, "curl", "md5sum", "sh")
	_, out, _ := lenient(t).run("fake", "--", "sh", "-euc", `
		call() { curl -sS --fail-with-body --noproxy '*' "$@"; }
		sig=$(printf %s "application_key=${OKRU_APPLICATION_KEY}method=users.isAppUser$OKRU_SESSION_SECRET_KEY" | md5sum | cut -c1-32)
		call "$OKRU_API_URL/fb.do" -d application_key=$OKRU_APPLICATION_KEY -d method=users.isAppUser -d sig=$sig -d access_token=$OKRU_ACCESS_TOKEN
		echo
		call -d method=users.isAppUser -d status=503 "$OKRU_CONTROL_URL/faults"
		call -X DELETE "$OKRU_CONTROL_URL/faults"
		call "$OKRU_CONTROL_URL/" | grep -c 'users.isAppUser'
		call "$OKRU_CONTROL_URL/faults" -d cod=8 || true
		call "$OKRU_CONTROL_URL/help" | grep -c /users/LOGIN/require
		call -H 'Host: evil.example' "$OKRU_CONTROL_URL/users" || true`)
	want := "true\ntrue\ntrue\n1\n{\n  \"error\": \"okru: there is no field cod; the fields are " + strings.Join(faultFields, ", ") +
		"\"\n}\n1\n{\n  \"error\": \"okru: the Host of the request is not this machine\"\n}\n"
	if out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

// okru's own commands work in the environment of the fake, and the exit code of
// the command is that of fake.
func TestFakeEnvironment(t *testing.T) {
	need(t, "sh", "env")
	s := lenient(t)
	for line := range strings.Lines(s.must("fake", "--", "env")) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), "="); strings.HasPrefix(name, "OKRU_") && name != "OKRU_REQUIRE" && name != "OKRU_LONG" {
			s.env[name] = value
		}
	}
	if len(s.env) < 7 {
		t.Errorf("the environment is %v", s.env)
	}
	if out := s.must("sign", "users.isAppUser"); !strings.Contains(out, "POST "+s.env["OKRU_API_URL"]+"/fb.do") {
		t.Error(out)
	}
	if code, _, stderr := s.run("fake", "--", "sh", "-c", "exit 7"); code != 7 || stderr != "" {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	s.fails(exitFailure, "nothing-like-this", "fake", "--", "nothing-like-this")
}

// Without a command, fake prints the environment and runs until it is
// interrupted.
func TestFakePrintsEnvironment(t *testing.T) {
	s := lenient(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	reader, writer := io.Pipe()
	a := *s.app
	a.stdout, a.stderr = writer, writer
	done := make(chan int, 1)
	go func() {
		done <- a.run(ctx, []string{"fake"})
		writer.Close()
	}()
	lines := bufio.NewScanner(reader)
	env := make(map[string]string)
	for lines.Scan() && !strings.Contains(lines.Text(), "control page") {
		if setting, ok := strings.CutPrefix(lines.Text(), "export "); ok {
			name, value, _ := strings.Cut(setting, "=")
			env[name] = strings.Trim(value, "'")
		}
	}
	s.app.base = nil
	if out := s.set(env).must("call", "users.isAppUser"); out != "true\n" {
		t.Error(out)
	}
	interrupt()
	if code := <-done; code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

func TestFakeListensOnThisMachineOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:80", "8080"} {
		lenient(t).fails(exitUsage, "127.0.0.1:PORT", "fake", "--listen", address)
		lenient(t).fails(exitUsage, "127.0.0.1:PORT", "fake", "--control", address)
	}
}

// post sends a form to the control page.
func post(t *testing.T, c http.Handler, path string, form url.Values, header http.Header) (status int, text string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name := range header {
		r.Header[name] = header[name]
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Body)
	return w.Code, string(body)
}

func TestControlRejects(t *testing.T) {
	c := newControl(oktest.New(t))
	c.newUser("anna", "password", nil)
	for name, test := range map[string]struct {
		path string
		form url.Values
		want string
	}{
		"no user":          {"/users/boris/revoke", nil, "there is no user boris"},
		"user again":       {"/users", url.Values{"login": {"anna"}, "password": {"x"}}, "there is a user anna already"},
		"no password":      {"/users", url.Values{"login": {"boris"}}, "a login and a password"},
		"unknown check":    {"/users/anna/require", url.Values{"check": {"x"}}, "blocked, captcha, human, none"},
		"unknown end":      {"/sessions/x", url.Values{"access_token": {"x"}}, "expire, replace, revoke"},
		"no session":       {"/sessions/expire", nil, "access_token is missing"},
		"unknown field":    {"/faults", url.Values{"kode": {"8"}}, "there is no field kode"},
		"nothing is wrong": {"/faults", url.Values{"method": {"users.getInfo"}}, "what goes wrong"},
		"not a number":     {"/faults", url.Values{"code": {"x"}}, "write it like 3"},
		"not a duration":   {"/faults", url.Values{"delay": {"3"}}, "write it like 300ms"},
		"not a bool":       {"/faults", url.Values{"reset": {"yes"}}, "write it like true"},
		"no rate":          {"/limits", url.Values{"burst": {"3"}}, "per_second"},
		"unknown scope":    {"/limits", url.Values{"calls": {"3"}, "per": {"x"}}, "application"},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := post(t, c.handler(), test.path, test.form, nil)
			if status != http.StatusBadRequest || !strings.Contains(text, test.want) {
				t.Errorf("%d %s, want %q", status, text, test.want)
			}
		})
	}
}

// A controlled is a shell with the control page of its fake, and another
// session of its user.
type controlled struct {
	*shell
	handler http.Handler
	other   session
}

func newControlled(t *testing.T) *controlled {
	s := lenient(t)
	c := newControl(s.srv)
	c.users["anna"] = s.user
	k := &controlled{shell: s, handler: c.handler()}
	if err := json.Unmarshal([]byte(k.post("/users/anna/session", "scopes=SET_STATUS")), &k.other); err != nil {
		t.Fatal(err)
	}
	return k
}

// post sends a form to the control page, which must accept it.
func (k *controlled) post(path, form string) string {
	k.t.Helper()
	values, err := url.ParseQuery(form)
	if err != nil {
		k.t.Fatal(err)
	}
	status, text := post(k.t, k.handler, path, values, nil)
	if status != http.StatusOK || !json.Valid([]byte(text)) {
		k.t.Fatalf("%s: %d %s", path, status, text)
	}
	return text
}

// code calls a method with a session, and returns the code of the API error.
func (k *controlled) code(s session, method string) okerrors.Code {
	k.t.Helper()
	k.srv.ForgetCalls()
	k.set(map[string]string{"OKRU_ACCESS_TOKEN": s.AccessToken}).run("call", method, "status=x")
	return k.srv.Calls()[0].Code
}

func (k *controlled) want(want okerrors.Code, s session, method string) {
	k.t.Helper()
	if code := k.code(s, method); code != want {
		k.t.Errorf("%s: code %d, want %d", method, code, want)
	}
}

func TestControlOfSessions(t *testing.T) {
	k := newControlled(t)
	k.want(0, k.other, "users.setStatus")
	k.post("/users/anna/withdraw", "scopes=SET_STATUS")
	k.want(okerrors.CodePermissionDenied, k.other, "users.setStatus")

	for end, code := range map[string]okerrors.Code{
		"expire": okerrors.CodeParamSessionExpired, "revoke": okerrors.CodeParamSessionKey, "replace": okerrors.CodeParamSessionKeyChanged,
	} {
		var s session
		if err := json.Unmarshal([]byte(k.post("/users/anna/session", "eternal=1")), &s); err != nil || s.RefreshToken != "" {
			t.Fatal(err, s)
		}
		k.want(0, s, "users.isAppUser")
		k.post("/sessions/"+end, "access_token="+s.AccessToken)
		k.want(code, s, "users.isAppUser")
	}
	k.want(0, k.other, "users.isAppUser")
	k.post("/users/anna/revoke", "")
	k.want(okerrors.CodeParamSessionKey, k.other, "users.isAppUser")

	k.post("/users/anna/require", "check=captcha")
	_, err := oauth.Password{ApplicationKey: k.srv.App().Key, Login: "anna", Password: "password of anna",
		HTTPClient: &http.Client{Transport: k.srv.Transport()}}.Token(t.Context())
	if !errors.Is(err, okerrors.CodeAuthLoginCaptcha) {
		t.Errorf("sign-in: %v, want a captcha", err)
	}
}

func TestControlOfFaultsAndLimits(t *testing.T) {
	k := newControlled(t)
	first := session{AccessToken: k.env["OKRU_ACCESS_TOKEN"]}
	k.post("/faults", "code=10&method=users.isAppUser&times=2")
	k.want(okerrors.CodePermissionDenied, first, "users.isAppUser")
	k.want(0, first, "friends.get")
	k.post("/faults/clear", "")
	k.want(0, first, "users.isAppUser")

	k.post("/limits", "calls=1&window=1h&per=session&code=11")
	k.want(0, first, "users.isAppUser")
	k.want(okerrors.CodeLimitReached, first, "users.isAppUser")
	k.want(0, k.other, "users.isAppUser")
	k.post("/limits/clear", "")
	k.want(0, first, "users.isAppUser")

	k.post("/calls/clear", "")
	if n := len(k.srv.Calls()); n != 0 {
		t.Errorf("%d calls in the journal", n)
	}
}

// A page of another site that is open in the browser cannot change anything;
// the forms of the page can.
func TestControlIsOfThisSite(t *testing.T) {
	c := newControl(oktest.New(t))
	form := url.Values{"code": {"8"}}
	for name, test := range map[string]struct {
		header http.Header
		want   int
	}{
		"other site":   {http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
		"other origin": {http.Header{"Origin": {"https://evil.example"}}, http.StatusForbidden},
		"its own":      {http.Header{"Sec-Fetch-Site": {"same-origin"}, "Accept": {"text/html"}}, http.StatusSeeOther},
		"no browser":   {nil, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			if status, text := post(t, c.handler(), "/faults", form, test.header); status != test.want {
				t.Errorf("%d %s, want %d", status, text, test.want)
			}
		})
	}
}
