package oktest_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

func TestJournal(t *testing.T) {
	srv := newServer(t)
	anna := srv.NewUser("anna", "secret")
	token := anna.Token()
	get(t, srv.InProcess(), realAPI, serverSigned(token, "method", "events.get"))
	post(t, srv.InProcess(), realAPI, values("method", "users.nope", "application_key", app.Key))
	post(t, srv.InProcess(), realAPI, sessionless("method", "auth.login", "user_name", "anna", "password", "secret"))
	calls := srv.Calls()
	if len(calls) != 3 {
		t.Fatalf("%d calls, want 3", len(calls))
	}
	first, second, third := calls[0], calls[1], calls[2]
	if first.Method != "events.get" || first.HTTPMethod != "GET" || first.UserID != anna.ID() || !first.Ran ||
		first.Params.Get("access_token") != token.AccessToken || !first.Query.Has("sig") || first.Status != 200 || first.Time.IsZero() {
		t.Errorf("first: %v", first)
	}
	if second.Ran || second.Code != okerrors.CodeMethod || !strings.Contains(second.Refusal, "users.nope") {
		t.Errorf("second: %v", second)
	}
	// The password is in the form, where it belongs.
	if third.Query.Has("password") || third.Params.Get("password") != "secret" {
		t.Errorf("third: %v", third)
	}
	first.Params.Set("method", "changed")
	if srv.Calls()[0].Params.Get("method") != "events.get" {
		t.Error("Calls hands out what it keeps")
	}
}

// A call under way is in the journal.
func TestJournalHasCallsUnderWay(t *testing.T) {
	srv := newServer(t)
	var during []oktest.Call
	srv.Handle("test.look", func(url.Values) (any, error) {
		during = srv.Calls()
		return nil, nil
	})
	post(t, srv.InProcess(), realAPI, sessionless("method", "test.look"))
	if len(during) != 1 || during[0].Method != "test.look" || during[0].Status != 0 {
		t.Errorf("during the call: %v", during)
	}
}

// Nothing that contains a secret prints it, whichever way it is printed.
func TestSecretsDoNotPrint(t *testing.T) {
	srv := newServer(t)
	anna := srv.NewUser("anna", "CANARYPASSWORD")
	token := anna.Token()
	post(t, srv.InProcess(), realAPI, serverSigned(token, "method", "events.get", "note", `{"password":"CANARYINSIDE"}`))
	login := sessionless("method", "auth.login", "user_name", "anna", "password", "CANARYPASSWORD")
	post(t, srv.InProcess(), realAPI, login)
	exchange(t, srv.InProcess(), "grant_type", "refresh_token", "refresh_token", token.RefreshToken)
	secrets := []string{"CANARY", token.AccessToken, token.RefreshToken, token.Extra("session_secret_key").(string), login.Get("sig")}
	calls := append(srv.Calls(), srv.Exchanges()...)
	type wrapper struct{ Inner any }
	for name, value := range map[string]any{
		"App": srv.App(), "*App": &app, "Server": srv, "User": anna, "Calls": calls, "Call": calls[0], "*Call": &calls[2],
		"InProcess": srv.InProcess(), "Transport": srv.Transport(), "Handler": srv.Handler(),
	} {
		var texts []string
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			texts = append(texts, fmt.Sprintf(verb, value), fmt.Sprintf(verb, wrapper{value}))
		}
		if object, err := json.Marshal(value); err == nil {
			texts = append(texts, string(object))
		}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("", "value", value)
		for _, text := range append(texts, log.String()) {
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%s prints a secret: %s", name, text)
				}
			}
		}
	}
	if text := fmt.Sprint(calls[0]); !strings.Contains(text, "events.get") || !strings.Contains(text, "[redacted]") {
		t.Errorf("a call prints as %s", text)
	}
}

// The server counts what ran twice, also when no caller got a response.
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
		t.Errorf("got %d duplicates of a parameter that no call has", got)
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
