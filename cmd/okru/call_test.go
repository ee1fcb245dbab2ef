package main

import (
	"encoding/json"
	"io"
	"net/url"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

func TestCall(t *testing.T) {
	s := newShell(t)
	out := s.must("call", "users.getInfo", "uids=570000000001", "fields=uid,name")
	var users []struct{ UID, Name string }
	if err := json.Unmarshal([]byte(out), &users); err != nil || len(users) != 1 || users[0].UID != "570000000001" {
		t.Errorf("%v: %s", err, out)
	}
	if !strings.HasPrefix(out, "[\n  {\n    \"") {
		t.Errorf("not indented: %s", out)
	}
}

// Each circuit is used where it is the right one.
func TestCallCircuit(t *testing.T) {
	for name, test := range map[string]struct {
		env    map[string]string
		args   []string
		want   string
		signIn bool
	}{
		"application secret":    {nil, []string{"users.isAppUser"}, "server", false},
		"session secret":        {map[string]string{"OKRU_APPLICATION_SECRET": ""}, []string{"users.isAppUser"}, "client", false},
		"no session":            {map[string]string{"OKRU_ACCESS_TOKEN": ""}, []string{"group.getInfo", "uids=54000000000001"}, "sessionless", false},
		"not wanted":            {nil, []string{"group.getInfo", "uids=54000000000001", "--no-session"}, "sessionless", false},
		"prohibited":            {nil, []string{"apps.getAppPromoInfo"}, "sessionless", false},
		"required, not offered": {map[string]string{"OKRU_ACCESS_TOKEN": ""}, []string{"users.getCurrentUser"}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t).set(test.env)
			s.srv.Handle("apps.getAppPromoInfo", func(url.Values) (any, error) { return true, nil })
			args := append([]string{"call"}, test.args...)
			if test.signIn {
				s.fails(exitSignIn, "okru login", args...)
				if n := len(s.srv.Calls()); n != 0 {
					t.Errorf("%d calls were sent", n)
				}
				return
			}
			s.must(args...)
			if c := s.srv.Calls()[0]; c.Circuit != test.want {
				t.Errorf("the call is %v, want circuit %s", c, test.want)
			}
		})
	}
}

func TestCallTable(t *testing.T) {
	s := newShell(t)
	for name, test := range map[string]struct{ response, want string }{
		"objects":     {`[{"uid":"1","name":"Anna"},{"uid":"22","age":7}]`, "UID  NAME  AGE\n1    Anna  \n22         7\n"},
		"in a field":  {`{"anchor":"x","members":[{"userId":"1"},{"userId":"2"}],"counts":[1]}`, "USERID\n1\n2\n"},
		"two lists":   {`{"a":[{"x":1}],"b":[{"y":2}]}`, "A          B\n[{\"x\":1}]  [{\"y\":2}]\n"},
		"one object":  {`{"uid":"1","location":{"city":"Tver","at":{"x":1}}}`, "UID  LOCATION.CITY  LOCATION.AT.X\n1    Tver           1\n"},
		"strings":     {`["1","2"]`, "VALUE\n1\n2\n"},
		"scalar":      {`true`, "VALUE\ntrue\n"},
		"control":     {`[{"name":"a\u001b[2Jb\nc\td"}]`, "NAME\na [2Jb c d\n"},
		"empty list":  {`[]`, ""},
		"session":     {`{"session_key":"top secret","uid":"1"}`, "SESSION_KEY  UID\n***          1\n"},
		"no response": {``, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s.srv.Handle("friends.get", func(url.Values) (any, error) { return json.RawMessage(test.response), nil })
			if got := s.must("call", "friends.get", "--table"); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestCallAllPages(t *testing.T) {
	s := newShell(t, "GROUP_CONTENT")
	rows := strings.Split(strings.TrimSpace(s.must("call", "group.getMembers", "uid=54000000000001", "count=100", "--all", "--table")), "\n")
	var asked int
	for _, c := range s.srv.Calls() {
		if c.Method == "group.getMembers" {
			asked++
		}
	}
	if asked < 2 || len(rows)-1 <= (asked-2)*100 {
		t.Errorf("%d pages, %d rows", asked, len(rows)-1)
	}
	decoder := json.NewDecoder(strings.NewReader(s.must("call", "group.getMembers", "uid=54000000000001", "count=100", "--all")))
	var pages int
	for ; decoder.More(); pages++ {
		if err := decoder.Decode(new(map[string]any)); err != nil {
			t.Fatal(err)
		}
	}
	if pages != asked {
		t.Errorf("%d JSON documents, want %d", pages, asked)
	}
	s.fails(exitFailure, "offset", "call", "friends.get", "offset=1", "--all")
}

// What is printed before a failure is kept, and the exit code says what
// happened.
func TestCallFails(t *testing.T) {
	for name, test := range map[string]struct {
		fault  oktest.Fault
		method string
		code   int
		text   string
	}{
		"API error":       {oktest.Fault{Code: okerrors.CodePermissionDenied}, "friends.get", exitAPI, "PERMISSION_DENIED"},
		"session":         {oktest.Fault{Code: okerrors.CodeParamSessionExpired}, "friends.get", exitSignIn, "102"},
		"write, unknown":  {oktest.Fault{Reset: true, AfterRun: true}, "users.setStatus", exitUnknown, ""},
		"write, API":      {oktest.Fault{Code: okerrors.CodeCensorMatch}, "users.setStatus", exitAPI, ""},
		"a web page":      {oktest.Fault{Body: oktest.HTMLPage}, "friends.get", exitFailure, ""},
		"read, not there": {oktest.Fault{Status: 404}, "friends.get", exitFailure, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t, "SET_STATUS")
			s.srv.Inject(test.fault)
			s.fails(test.code, test.text, "call", test.method, "status=x")
		})
	}
}

func TestCallRejectsArguments(t *testing.T) {
	s := newShell(t)
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no method":        {nil, "requires at least 1 arg"},
		"not a method":     {[]string{"users"}, "GROUP.NAME"},
		"path":             {[]string{"users/getInfo"}, "GROUP.NAME"},
		"parameter first":  {[]string{"uids=1"}, "GROUP.NAME"},
		"no value":         {[]string{"users.getInfo", "uids"}, "name=value"},
		"no name":          {[]string{"users.getInfo", "=1"}, "name=value"},
		"duplicate":        {[]string{"users.getInfo", "uids=1", "uids=2"}, "duplicate parameter uids"},
		"method again":     {[]string{"users.getInfo", "method=friends.get"}, "leave out the parameter method"},
		"access_token":     {[]string{"users.getInfo", "access_token=CANARY"}, "OKRU_ACCESS_TOKEN"},
		"session_key":      {[]string{"users.getInfo", "session_key=CANARY"}, "OKRU_ACCESS_TOKEN"},
		"secret":           {[]string{"users.getInfo", "application_secret_key=CANARY"}, "OKRU_APPLICATION_SECRET"},
		"password":         {[]string{"auth.login", "password=CANARY"}, "okru login"},
		"sig":              {[]string{"users.getInfo", "sig=CANARY"}, "okru signs"},
		"unknown flag":     {[]string{"users.getInfo", "--nothing"}, "unknown flag"},
		"another key":      {[]string{"users.getInfo", "uids=1", "application_key=OTHER"}, "application_key"},
		"name of a secret": {[]string{"users.getInfo", "client_secret"}, "OKRU_APPLICATION_SECRET"},
	} {
		t.Run(name, func(t *testing.T) {
			want := exitUsage
			if name == "another key" {
				want = exitFailure
			}
			s.fails(want, test.want, append([]string{"call"}, test.args...)...)
		})
	}
	if n := len(s.srv.Calls()); n != 0 {
		t.Errorf("%d calls were sent", n)
	}
	if strings.Contains(s.printed.String(), "CANARY") {
		t.Errorf("a secret was printed: %s", &s.printed)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		want string
	}{
		"no key":          {map[string]string{"OKRU_APPLICATION_KEY": ""}, "set OKRU_APPLICATION_KEY"},
		"white space":     {map[string]string{"OKRU_APPLICATION_SECRET": "x\n"}, "white space"},
		"not a URL":       {map[string]string{"OKRU_API_URL": "http://[::1"}, "OKRU_API_URL"},
		"plain http":      {map[string]string{"OKRU_API_URL": "http://api.ok.ru"}, "use https"},
		"https loopback":  {map[string]string{"OKRU_API_URL": "https://127.0.0.1:1"}, "http for this machine"},
		"path":            {map[string]string{"OKRU_API_URL": "https://api.ok.ru/fb.do"}, "without anything else"},
		"no scheme":       {map[string]string{"OKRU_API_URL": "api.ok.ru"}, "https://HOST"},
		"user":            {map[string]string{"OKRU_API_URL": "https://anna:CANARY@api.ok.ru"}, "without anything else"},
		"broken, secrets": {map[string]string{"OKRU_API_URL": "https://anna:CANARY@[api.ok.ru"}, "not a URL"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t).set(test.env)
			s.secrets = append(s.secrets, "CANARY")
			s.fails(exitUsage, test.want, "call", "friends.get")
		})
	}
}

// A service that hangs does not hang the command.
func TestCallsAreBounded(t *testing.T) {
	cfg, err := settings{applicationKey: "KEY"}.config(&app{}, nil)
	if err != nil || cfg.Retry.AttemptTimeout <= 0 {
		t.Errorf("the timeout of an attempt is %v, %v", cfg.Retry.AttemptTimeout, err)
	}
}

// With OKRU_API_URL another service is called, over plain http on this machine.
func TestCallAnotherService(t *testing.T) {
	s := newShell(t)
	s.app.base = nil
	s.set(map[string]string{"OKRU_API_URL": s.srv.URL() + "/"}).must("call", "users.isAppUser")
	if len(s.srv.Calls()) != 1 {
		t.Errorf("calls are %v", s.srv.Calls())
	}
}

func TestMethodsCommand(t *testing.T) {
	s := newShell(t)
	all := strings.Count(s.must("methods"), "\n") - 1
	if all != len(oktest.Methods()) {
		t.Errorf("%d methods, want %d", all, len(oktest.Methods()))
	}
	out := s.must("methods", "GETinfo", "users")
	if !strings.Contains(out, "users.getInfo ") || strings.Contains(out, "group.getInfo") || !strings.Contains(out, "VALUABLE_ACCESS") {
		t.Error(out)
	}
	s.fails(exitFailure, "no method", "methods", "nothing", "like this")
}

func TestRoot(t *testing.T) {
	s := newShell(t)
	for _, args := range [][]string{nil, {"--help"}, {"help", "call"}, {"sign", "--help"}} {
		if out := s.must(args...); !strings.Contains(out, "Usage:") {
			t.Errorf("%q: %s", args, out)
		}
	}
	s.app.stdout, s.app.stderr = io.Discard, io.Discard
	for _, cmd := range s.app.command().Commands() {
		if cmd.Long == "" || cmd.Example == "" {
			t.Errorf("okru %s has no long help, or no example", cmd.Name())
		}
	}
	if out := s.must("completion", "bash"); !strings.Contains(out, "okru") {
		t.Error("no completion for bash")
	}
	if _, out, _ := s.run("__complete", "call", "users.getCurr"); !strings.Contains(out, "users.getCurrentUser\n") {
		t.Errorf("completion of a method: %s", out)
	}
	s.fails(exitUsage, "unknown command", "nothing")
}
