package okerrors_test

import (
	"errors"
	"fmt"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
)

func TestSessionRejected(t *testing.T) {
	tests := []struct {
		code    okerrors.Code
		message string
		field   string
		want    bool
	}{
		{102, "PARAM_SESSION_EXPIRED : Session expired", "", true},
		{103, "PARAM_SESSION_KEY : Invalid session key", "", true},
		{107, "", "", true},
		{100, "", "session_key", true},
		{100, "", "access_token", true},
		{100, "PARAM : Invalid parameter", "session_key", true},
		{100, "PARAM : Missed required parameter: access_token", "", true},
		{100, "PARAM : Missed required parameter: session_key", "", true},
		{100, "PARAM : Missing required parameter 'session_key'", "", true},
		{100, "PARAM : Invalid parameter session_key value  : [abc]", "", true},
		{100, "PARAM : Invalid session_key", "", true},
		{100, "PARAM : missing or invalid access_token", "", true},
		{100, "PARAM : No session_key", "", true},
		{100, "PARAM : session_key is missing", "", true},
		{100, "PARAM : access_token is not valid", "", true},
		{100, "PARAM : parameter access_token must not be empty", "", true},
		{100, "PARAM : session_key must be specified", "", true},
		{100, "PARAM : Session_Key is INVALID", "", true},
		{100, "PARAM : access_token: [] must not be empty", "", true},
		{100, "PARAM : not valid session_key", "", true},
		{100, "PARAM : Missing parameter 'Session_Key'", "", true},
		{100, "PARAM : session_key does not exist", "", true},
		{100, "PARAM : session_key has wrong format", "", true},
		{100, "PARAM : access_token or session_key must be specified", "", true},
		{100, "PARAM : Either session_key or access_token must be specified", "", true},
		{100, "session_key or access_token must be specified", "", true},
		{100, "access_token, session_key is required", "", true},
		{100, "PARAM : One of session_key, access_token is required", "", true},
		{100, "PARAM : Missing parameter: access_token or session_key", "", true},
		{100, "PARAM : Invalid value of parameter 'access_token'", "", true},
		{100, "PARAM : Missed required parameter: \"session_key\".", "", true},

		{100, "PARAM : Either session_key or uid must be specified", "", false},
		{100, "PARAM : Either session_key or uid must be specified", "session_key", false},
		{100, "PARAM : Either uid or session_key must be specified", "", false},
		{100, "PARAM : uid or session_key must be specified", "", false},
		{100, "PARAM : uid or session_key is required", "", false},
		{100, "PARAM : session_key or uid is required", "", false},
		{100, "PARAM : Missing uid or 'session_key'", "", false},
		{100, "PARAM : Missing uid (or session_key)", "", false},
		{100, "PARAM : One of session_key, uid is required", "", false},
		{100, "PARAM : Either session_key, access_token or uid must be specified", "", false},
		{100, "PARAM : uid, access_token or session_key is required", "", false},
		{100, "PARAM : uid is required if session_key is missing", "", false},
		{100, "PARAM : uid must be specified without session_key", "", false},
		{100, "PARAM : session_key and uid must not be specified together", "", false},
		{100, "PARAM : session_key [invalid] must not have uid", "", false},
		{100, "PARAM : Invalid uid [1], session_key [x]", "", false},
		{100, "PARAM : Missed required parameter: uid", "", false},
		{100, "PARAM : Invalid parameter uid value : [access_token]", "", false},
		{100, "PARAM : Invalid uid for this session_key", "", false},
		{100, "PARAM : Missed required parameter: session_key_hint", "", false},
		{100, "PARAM : Invalid parameter my_access_token", "", false},
		{100, "session_key is missing", "", true},
		{100, "access_token", "", false},
		{100, "or session_key is missing", "", false},
		{100, "", "uid", false},
		{100, "", "", false},
		{453, "SESSION_REQUIRED : Invalid session_key", "session_key", false},
		{451, "", "session_key", false},
		{104, "PARAM_SIGNATURE : Invalid signature", "sig", false},
		{401, "AUTH_LOGIN : Invalid access_token", "", false},
		{4242, "Invalid session_key", "session_key", false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d %s %s", tt.code, tt.message, tt.field), func(t *testing.T) {
			e := &okerrors.Error{Code: tt.code, Message: tt.message, Field: tt.field}
			if got := e.SessionRejected(); got != tt.want {
				t.Errorf("SessionRejected() = %v", got)
			}
			if got := errors.Is(fmt.Errorf("x: %w", e), okerrors.ErrSession); got != tt.want {
				t.Errorf("errors.Is(e, ErrSession) = %v", got)
			}
			if tt.code == 100 && !errors.Is(e, okerrors.ErrInvalid) {
				t.Error("errors.Is(e, ErrInvalid) = false")
			}
		})
	}
}

func TestNewSession(t *testing.T) {
	tests := map[string]struct {
		body        string
		key, secret string
		ok          bool
	}{
		"both":          {`{"error_code":107,"session_key":"k","session_secret_key":"s"}`, "k", "s", true},
		"keys first":    {`{"session_key":"k","session_secret_key":"s","error_code":107}`, "k", "s", true},
		"digits":        {`{"error_code":107,"session_key":"k","session_secret_key":12345678901234567890}`, "k", "12345678901234567890", true},
		"without one":   {`{"error_code":107,"session_key":"k"}`, "k", "", true},
		"secret only":   {`{"error_code":107,"session_secret_key":"s"}`, "", "", false},
		"null":          {`{"error_code":107,"session_key":null}`, "", "", false},
		"none":          {`{"error_code":107}`, "", "", false},
		"XML":           {`<error_response><error_code>107</error_code><session_key>k</session_key><session_secret_key>s</session_secret_key></error_response>`, "k", "s", true},
		"of wrong type": {`{"error_code":107,"session_key":{"a":1}}`, "", "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			key, secret, ok := mustError(t, respond(tt.body)).NewSession()
			if key != tt.key || secret != tt.secret || ok != tt.ok {
				t.Errorf("NewSession() = %q, %q, %v; want %q, %q, %v", key, secret, ok, tt.key, tt.secret, tt.ok)
			}
		})
	}
	if key, secret, ok := new(okerrors.Error).NewSession(); key != "" || secret != "" || ok {
		t.Errorf("NewSession() of the zero Error = %q, %q, %v", key, secret, ok)
	}
}
