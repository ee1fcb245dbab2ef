package oauth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
)

func TestPasswordRequest(t *testing.T) {
	e := &endpoint{body: `{"uid":"57","session_key":"SK","session_secret_key":"0123456789","auth_token":"AT","api_server":"https://evil.example/","n":12345678901234567890}`}
	got, err := e.password().Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.AccessToken != "SK" || oauth.SessionSecret(got) != "0123456789" || got.Extra("uid") != "57" || got.Extra("auth_token") != "AT" {
		t.Errorf("session is %+v", got)
	}
	r, form := e.requests[0], e.forms[0]
	if r.Method != "POST" || r.URL.String() != "https://api.ok.ru/fb.do" {
		t.Errorf("request is %s %s", r.Method, r.URL)
	}
	// md5("application_key=KEYformat=jsonmethod=auth.loginpassword=CANARY-passuser_name=anna" + "CANARY-app")
	if form.Get("sig") != md5Hex("application_key=KEYformat=jsonmethod=auth.loginpassword=CANARY-passuser_name=annaCANARY-app") {
		t.Errorf("sig of %v is wrong", form)
	}
	g := e.password()
	g.ApplicationSecret = ""
	if _, err := g.Token(t.Context()); err != nil || e.forms[1].Has("sig") {
		t.Errorf("without secret the form is %v (%v), want it unsigned", e.forms[1], err)
	}
}

func TestPasswordRejected(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		code   okerrors.Code
		url    string
		is     []error
		isNot  []error
		status int
	}{
		"wrong password": {`{"error_code":401,"error_msg":"AUTH_LOGIN : wrong CANARY-pass"}`, 401, "",
			[]error{oauth.ErrSignIn, oauth.ErrCredentials}, nil, 200},
		"captcha": {`{"error_code":402,"error_msg":"AUTH_LOGIN_CAPTCHA"}`, 402, "",
			[]error{oauth.ErrSignIn}, []error{oauth.ErrCredentials}, 200},
		"human check": {`{"error_code":403,"error_msg":"x","ver_redirect_url":"https://ok.ru/check?CANARY"}`, 403, "https://ok.ru/check?CANARY",
			[]error{oauth.ErrSignIn}, []error{oauth.ErrCredentials}, 200},
		"verification": {`{"error_code":403,"error_msg":"x","verification_url":"https://ok.ru/v?CANARY"}`, 403, "https://ok.ru/v?CANARY",
			[]error{oauth.ErrSignIn}, nil, 403},
		"overload": {`{"error_code":2,"error_msg":"SERVICE"}`, 2, "",
			[]error{okerrors.ErrTransient}, []error{oauth.ErrSignIn, okerrors.ErrOutcomeUnknown}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			e := &endpoint{status: test.status, body: test.body}
			plain := e.password()
			decoding := plain
			decoding.HTTPClient = &http.Client{Transport: okerrors.Decode(e)}
			for client, g := range map[string]oauth.Password{"plain": plain, "decoding": decoding} {
				_, err := g.Token(t.Context())
				apiErr, ok := errors.AsType[*okerrors.Error](err)
				if !ok {
					t.Fatalf("%s: %v is no *okerrors.Error", client, err)
				}
				if apiErr.Code != test.code || apiErr.URL != test.url || apiErr.Method != "auth.login" {
					t.Errorf("%s: error has code %d, URL %q, method %q", client, apiErr.Code, apiErr.URL, apiErr.Method)
				}
				for _, target := range test.is {
					if !errors.Is(err, target) {
						t.Errorf("%s: %v is not %v", client, err, target)
					}
				}
				for _, target := range test.isNot {
					if errors.Is(err, target) {
						t.Errorf("%s: %v is %v", client, err, target)
					}
				}
				if strings.Contains(err.Error()+apiErr.Message, "CANARY") {
					t.Errorf("%s: error leaks: %q, %q", client, err, apiErr.Message)
				}
			}
		})
	}
}
