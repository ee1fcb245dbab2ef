package oktest_test

import (
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

// app is the application of most tests, with secrets that are easy to find
// where they should not be.
var app = oktest.App{ID: "512000123456", Key: "CBAPUBLICKEY", Secret: "CANARYAPPLICATIONSECRET"}

const realAPI = "https://api.ok.ru"

func newServer(t *testing.T) *oktest.Server {
	t.Helper()
	srv := oktest.NewServer(app)
	t.Cleanup(srv.Close)
	return srv
}

// md5sum is lower-case hex, as the tool prints it.
func md5sum(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }

// signed returns params with application_key, format, a signature made from
// scratch, and the session, if any.
func signed(params url.Values, token, secret string) url.Values {
	all := url.Values{"application_key": {app.Key}, "format": {"json"}}
	for name := range params {
		all.Set(name, params.Get(name))
	}
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	text := ""
	for _, name := range names {
		text += name + "=" + all.Get(name)
	}
	all.Set("sig", md5sum(text+secret))
	if token != "" {
		all.Set("access_token", token)
	}
	return all
}

// serverSigned signs for the server circuit.
func serverSigned(t *oauth2.Token, pairs ...string) url.Values {
	return signed(values(pairs...), t.AccessToken, md5sum(t.AccessToken+app.Secret))
}

// clientSigned signs for the client circuit.
func clientSigned(t *oauth2.Token, pairs ...string) url.Values {
	return signed(values(pairs...), t.AccessToken, t.Extra("session_secret_key").(string))
}

// sessionless signs without a session.
func sessionless(pairs ...string) url.Values { return signed(values(pairs...), "", app.Secret) }

// values makes parameters of names and values by turns.
func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// reply is a response that was read to its end.
type reply struct {
	*http.Response
	body string
	err  error // of the round trip or of reading
}

// code returns the code of the API error, 0 if it is none. It insists that
// header and body agree.
func (r reply) code(t *testing.T) okerrors.Code {
	t.Helper()
	if r.err != nil {
		t.Fatal(r.err)
	}
	header, _ := strconv.Atoi(r.Header.Get("Invocation-Error"))
	var object struct {
		Code okerrors.Code `json:"error_code"`
	}
	_ = json.Unmarshal([]byte(r.body), &object)
	if okerrors.Code(header) != object.Code {
		t.Errorf("the header has code %d, the body %s", header, r.body)
	}
	return object.Code
}

func send(rt http.RoundTripper, r *http.Request) reply {
	resp, err := rt.RoundTrip(r)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp, string(body), err}
}

// get calls the API at base by GET.
func get(t *testing.T, rt http.RoundTripper, base string, params url.Values) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/fb.do?"+params.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return send(rt, r)
}

// post calls the API at base by POST of a form.
func post(t *testing.T, rt http.RoundTripper, base string, params url.Values) reply {
	t.Helper()
	return postTo(t, rt, base+"/fb.do", params)
}

func postTo(t *testing.T, rt http.RoundTripper, address string, params url.Values) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(params.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(rt, r)
}

// ways are the two RoundTrippers that lead to a server.
func ways(srv *oktest.Server) map[string]http.RoundTripper {
	return map[string]http.RoundTripper{"Transport": srv.Transport(), "HTTP2": srv.HTTP2(), "InProcess": srv.InProcess()}
}

func last(t *testing.T, srv *oktest.Server) oktest.Call {
	t.Helper()
	calls := srv.Calls()
	if len(calls) == 0 {
		t.Fatal("the journal is empty")
	}
	return calls[len(calls)-1]
}

// contextWith hands client to golang.org/x/oauth2.
func contextWith(t *testing.T, client *http.Client) context.Context {
	return context.WithValue(t.Context(), oauth2.HTTPClient, client)
}
