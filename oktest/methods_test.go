package oktest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

func TestMethods(t *testing.T) {
	srv := newServer(t)
	anna := srv.NewUser("anna", "secret")
	token := anna.Token("PHOTO_CONTENT", "VIDEO_CONTENT", "GROUP_CONTENT", "SET_STATUS")
	for _, test := range []struct{ params, want string }{
		{"method=users.getLoggedInUser", `"580000000001"`},
		{"method=users.getCurrentUser&fields=UID,FIRST_NAME", `{"first_name":"Анна","uid":"580000000001"}`},
		{"method=users.getCurrentUser", `"last_name":"Иванова"`},
		{"method=users.getInfo&uids=570000000002,1,580000000001&fields=name", `[{"name":"Иван Смирнов","uid":"570000000002"},{"name":"Анна Иванова","uid":"580000000001"}]`},
		{"method=users.getInfo&uids=1", `[]`},
		{"method=users.isAppUser", `true`},
		{"method=users.hasAppPermission&ext_perm=PHOTO_CONTENT", `true`},
		{"method=users.hasAppPermission&ext_perm=LIKE", `false`},
		{"method=users.getCallsLeft&methods=notifications.sendFromUser", `[{"name":"notifications.sendFromUser","callsLeft":10000,"available":true}]`},
		{"method=users.setStatus&status=x", `true`},
		{"method=friends.get", `["570000000001","570000000002","570000000003","570000000004","570000000005","570000000006","570000000007"]`},
		{"method=friends.areFriends&uids1=580000000001,580000000001&uids2=570000000001,570000000009", `[{"uid1":"580000000001","uid2":"570000000001","are_friends":true},{"uid1":"580000000001","uid2":"570000000009","are_friends":false}]`},
		{"method=events.get", `"type":"MESSAGES"`},
		{"method=group.getInfo&uids=54000000000002&fields=members_count", `[{"members_count":120,"uid":"54000000000002"}]`},
		{"method=group.getMembers&uid=54000000000002&count=2", `{"members":[{"userId":"570000000001"},{"userId":"570000000002"}],"anchor":"2","has_more":true}`},
		{"method=group.getMembers&uid=54000000000002&count=100&anchor=119", `{"members":[{"userId":"570000000120"}],"anchor":"120","has_more":false}`},
		{"method=group.getMembers&uid=54000000000003", `{"members":null,"anchor":"0","has_more":false}`},
		{"method=group.getMembers&uid=1", `"error_code":160`},
		{`method=mediatopic.post&attachment={"media":[{"type":"text","text":"Привет"},{"type":"photo","list":[{"existing_photo_id":"1"}]}]}`, `"66000000000001"`},
		{"method=mediatopic.post&attachment={", `"error_code":100`},
		{"method=video.update&vid=1", `"error_field":"vid"`},
		{"method=auth.touchSession", `true`},
		{"method=users.removeAppPermissions", `true`},
		{"method=users.isAppUser", `false`},
	} {
		params, err := url.ParseQuery(test.params)
		if err != nil {
			t.Fatal(err)
		}
		r := post(t, srv.InProcess(), realAPI, signed(params, token.AccessToken, token.Extra("session_secret_key").(string)))
		if !strings.Contains(r.body, test.want) || test.want == "" && r.body != "" {
			t.Errorf("%s: got %s, want %s", test.params, r.body, test.want)
		}
		if r.Header.Get("Content-Type") != "application/json;charset=utf-8" || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", test.params, r.Header)
		}
	}
}

func TestHandle(t *testing.T) {
	srv := newServer(t)
	cause := errors.New("cause")
	for name, test := range map[string]struct {
		result any
		err    error
		want   string
	}{
		"object":        {map[string]int{"a": 1}, nil, `{"a":1}`},
		"nil":           {nil, nil, `null`},
		"raw":           {json.RawMessage(`[1, 2]`), nil, `[1, 2]`},
		"nothing":       {json.RawMessage(nil), nil, ``},
		"unmarshalable": {func() {}, nil, `"error_code":1`},
		"error":         {nil, &okerrors.Error{Code: 300, Message: "NOT_FOUND : gone", Data: []byte(`"x"`)}, `{"error_code":300,"error_data":"x","error_msg":"NOT_FOUND : gone"}`},
		"wrapped":       {nil, fmt.Errorf("because: %w", &okerrors.Error{Code: 7}), `"error_msg":"ACTION_BLOCKED : `},
		"code":          {nil, okerrors.CodeFloodBlocked, `"error_code":8`},
		"any error":     {nil, cause, `"error_msg":"UNKNOWN : cause"`},
		"a check":       {nil, &okerrors.Error{Code: 403, URL: "https://x"}, `"ver_redirect_url":"https://x"`},
		"unknown code":  {nil, okerrors.Code(4242), `"error_code":4242`},
	} {
		srv.Handle("users.getInfo", func(p url.Values) (any, error) {
			if p.Get("uids") != "1" {
				t.Errorf("%s: got %v", name, p)
			}
			p.Set("uids", "changed")
			return test.result, test.err
		})
		token := srv.NewUser("anna", "secret").Token()
		r := post(t, srv.InProcess(), realAPI, serverSigned(token, "method", "users.getInfo", "uids", "1"))
		if r.code(t); !strings.Contains(r.body, test.want) || test.want == "" && r.body != "" {
			t.Errorf("%s: got %s, want %s", name, r.body, test.want)
		}
		if last(t, srv).Params.Get("uids") != "1" {
			t.Errorf("%s: the handler changed the journal", name)
		}
	}
	srv.Handle("users.getInfo", nil)
	r := post(t, srv.InProcess(), realAPI, serverSigned(srv.NewUser("boris", "secret").Token(), "method", "users.getInfo", "uids", "1"))
	if r.body != "[]" {
		t.Errorf("after Handle(nil): got %s", r.body)
	}
}

func TestErrorFormats(t *testing.T) {
	srv := newServer(t)
	for _, test := range []struct {
		format, accept string
		xml            bool
	}{
		{"", "", false},
		{"json", "application/xml", false},
		{"JSON", "", false},
		{"XML", "application/json", true},
		{"xml", "", true},
		{"", "application/xml", true},
		{"", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true},
		{"", "application/json, application/xml", false},
		{"", "*/*", false},
	} {
		q := values("method", "users.getInfo", "format", test.format)
		if test.format == "" {
			q.Del("format")
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, realAPI+"/fb.do?"+q.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", test.accept)
		got := send(srv.InProcess(), r)
		want := `{"error_code":101,"error_data":null,"error_msg":"PARAM_API_KEY : No application key"}`
		if test.xml {
			want = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<ns2:error_response xmlns:ns2="http://api.forticom.com/1.0/">` +
				`<error_code>101</error_code><error_msg>PARAM_API_KEY : No application key</error_msg></ns2:error_response>`
		}
		if got.body != want || got.Header.Get("Invocation-Error") != "101" {
			t.Errorf("format %q, Accept %q: got %v %s", test.format, test.accept, got.Header, got.body)
		}
	}
}

func TestLoginMethods(t *testing.T) {
	srv := newServer(t)
	srv.NewUser("anna", "secret")
	unsigned := func(pairs ...string) url.Values {
		v := values(pairs...)
		v.Set("application_key", app.Key)
		return v
	}
	var in struct {
		UID       string `json:"uid"`
		Key       string `json:"session_key"`
		Secret    string `json:"session_secret_key"`
		Token     string `json:"auth_token"`
		APIServer string `json:"api_server"`
		AuthSig   string `json:"auth_sig"`
	}
	for way, params := range map[string]url.Values{
		"unsigned": unsigned("method", "auth.login", "user_name", "anna", "password", "secret"),
		"signed":   sessionless("method", "auth.login", "user_name", "anna", "password", "secret"),
	} {
		r := get(t, srv.InProcess(), realAPI, params)
		if err := json.Unmarshal([]byte(r.body), &in); err != nil || in.Key == "" {
			t.Fatalf("%s: %s", way, r.body)
		}
		if in.AuthSig != md5sum(in.UID+in.Key+app.Secret) || in.APIServer != "https://api.ok.ru/" {
			t.Errorf("%s: %s", way, r.body)
		}
		// A session made with a password needs no consent.
		call := signed(values("method", "users.setStatus", "status", "x"), in.Key, in.Secret)
		if r := post(t, srv.InProcess(), realAPI, call); r.body != "true" {
			t.Errorf("%s: the session: %s", way, r.body)
		}
	}
	byToken := get(t, srv.InProcess(), realAPI, sessionless("method", "auth.loginByToken", "token", in.Token))
	if byToken.code(t) != 0 {
		t.Errorf("auth.loginByToken: %s", byToken.body)
	}
	srv.Configure(oktest.Settings{APIServer: "https://evil.example/"})
	evil := get(t, srv.InProcess(), realAPI, unsigned("method", "auth.login", "user_name", "anna", "password", "secret"))
	if !strings.Contains(evil.body, `"api_server":"https://evil.example/"`) {
		t.Errorf("api_server: %s", evil.body)
	}
	for want, params := range map[okerrors.Code]url.Values{
		401: unsigned("method", "auth.login", "user_name", "anna", "password", ""),
		100: unsigned("method", "auth.login", "user_name", "anna"),
		104: unsigned("method", "auth.login", "user_name", "anna", "password", "secret", "sig", "x"),
	} {
		if r := get(t, srv.InProcess(), realAPI, params); r.code(t) != want {
			t.Errorf("want %d, got %s", want, r.body)
		}
	}
}

func TestSDKSession(t *testing.T) {
	srv := newServer(t)
	r := get(t, srv.InProcess(), realAPI, values("application_key", app.Key, "method", "sdk.init", "session_data", `{"version":2,"device_id":"x"}`))
	var in struct {
		Key string `json:"session_key"`
	}
	if err := json.Unmarshal([]byte(r.body), &in); err != nil || in.Key == "" {
		t.Fatalf("sdk.init: %s", r.body)
	}
	if r := get(t, srv.InProcess(), realAPI, sessionless("method", "sdk.getInstallSource", "sdkToken", in.Key)); r.body != "5" {
		t.Errorf("sdk.getInstallSource: %s", r.body)
	}
	if r := get(t, srv.InProcess(), realAPI, sessionless("method", "sdk.getInstallSource", "sdkToken", "x")); r.code(t) != 103 {
		t.Errorf("sdk.getInstallSource with a wrong token: %s", r.body)
	}
}

func TestBatch(t *testing.T) {
	srv := newServer(t)
	srv.Handle("test.echo", func(p url.Values) (any, error) { return map[string]string{"a": p.Get("a")}, nil })
	token := srv.NewUser("anna", "secret").Token()
	for methods, want := range map[string]string{
		`[{"method":"users.getLoggedInUser"},{"method":"test.echo","params":{"a":7}}]`: `{"test_echo_response":{"a":"7"},"users_getLoggedInUser_response":"580000000001"}`,
		`[{"method":"test.echo","params":{"a":"570000000001"}},` +
			`{"method":"users.getInfo","params":{"uids":{"supplier":"test.echo.a"},"fields":"uid"}}]`: `"users_getInfo_response":[{"uid":"570000000001"}]`,
		`[{"method":"users.getInfo","params":{"uids":{"supplier":"test.echo.a"}}}]`: `"error_code":1200`,
		`[{"method":"test.echo"},{"method":"test.echo"}]`:                           `"error_code":1200`,
		`{"methods":[]}`:               `"error_code":1200`,
		`[{"method":"batch.execute"}]`: `"error_code":1200`,
		`[{"method":"users.nope"},{"method":"video.update","params":{"vid":1}}]`: `"users_nope_response":{"error_code":3,`,
	} {
		r := post(t, srv.InProcess(), realAPI, serverSigned(token, "method", "batch.execute", "methods", methods))
		if !strings.Contains(r.body, want) {
			t.Errorf("%s: got %s, want %s", methods, r.body, want)
		}
	}
}
