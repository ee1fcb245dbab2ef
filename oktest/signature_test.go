package oktest_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

func TestSignatureVectors(t *testing.T) {
	const (
		token  = "-s-84W-s3egarWUsbkq-IWTucuedzTKT8VUXIA.s4Xx8IW7"
		secret = "ABC123DEF456GHI789JKL123"
	)
	aiookru := values("application_key", "ABCDEFGHIGKLMNOPK", "format", "json", "method", "events.get")
	for name, test := range map[string]struct {
		params url.Values
		secret string
		want   string
	}{
		"aiookru server circuit": {aiookru, md5sum(token + secret), "232c8eb921951c4dba9b72606f9ddb4c"},
		"aiookru client circuit": {aiookru, "ae5362b5b588cc7294c2414d71b74d5d", "03a41413523ea8092507949d6e711963"},
		"alternativshik": {values("application_key", "1", "format", "json", "method", "friends.get"),
			md5sum("3" + "2"), "d7348fe0d7d735aa2156fa5c596ab8cc"},
		"gazay, path form": {values("application_key", "application_key"), md5sum("token" + "client_secret"),
			"4784959f6620c78221bff139d6cf9309"},
		"order of keys": {values("a", "1", "a1", "2"), "s", "ebff34f787100357c3800542e6d8db31"},
		"raw values": {values("application_key", "ABCDEFGHIGKLMNOPK", "format", "json", "method", "users.setStatus",
			"status", "Привет, мир + 1&a=b%20"), md5sum(token + secret), "ee5319948a4d531de630d621aa986511"},
		"not signed": {values("application_key", "application_key", "sig", "x", "resig", "y", "access_token", "token"),
			md5sum("token" + "client_secret"), "4784959f6620c78221bff139d6cf9309"},
	} {
		if got := oktest.Signature(test.params, test.secret); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

// Each classic mistake is rejected, and the message names it.
func TestWrongSignatureMessageHelps(t *testing.T) {
	srv := newServer(t)
	token := srv.NewUser("anna", "secret").Token()
	derived := md5sum(token.AccessToken + app.Secret)
	const text = "application_key=CBAPUBLICKEYformat=jsonmethod=users.getInfouids=1,2"
	const encoded = "application_key=CBAPUBLICKEYformat=jsonmethod=users.getInfouids=1%2C2"
	for name, test := range map[string]struct{ sig, hint string }{
		"access_token signed":  {md5sum("access_token=" + token.AccessToken + text + derived), "access_token is signed as well"},
		"encoded":              {md5sum(encoded + derived), "sign them raw"},
		"upper case":           {strings.ToUpper(md5sum(text + derived)), "lower case"},
		"hashed twice":         {md5sum(md5sum(text) + derived), "hash both at once"},
		"joined by &":          {md5sum("application_key=CBAPUBLICKEY&format=json&method=users.getInfo&uids=1,2" + derived), "join them by nothing"},
		"no secret":            {md5sum(text), "no secret"},
		"application's secret": {md5sum(text + app.Secret), "application_secret_key itself"},
		"parameter left out":   {md5sum(strings.Replace(text, "format=json", "", 1) + derived), "format is not signed"},
		"anything else":        {md5sum("x"), "application_key, format, method, uids, in this order"},
	} {
		t.Run(name, func(t *testing.T) {
			params := serverSigned(token, "method", "users.getInfo", "uids", "1,2")
			params.Set("sig", test.sig)
			r := get(t, srv.InProcess(), realAPI, params)
			if got := r.code(t); got != okerrors.CodeParamSignature {
				t.Errorf("got code %v, want 104", got)
			}
			if !strings.Contains(r.body, test.hint) {
				t.Errorf("the message lacks %q: %s", test.hint, r.body)
			}
			for _, secret := range []string{app.Secret, derived, token.AccessToken, md5sum(text + derived)} {
				if strings.Contains(r.body, secret) {
					t.Errorf("the message contains a secret: %s", r.body)
				}
			}
		})
	}
}

// A signature of another text than the one that is sent gets a hint, and so
// does one of bytes that are not text.
func TestSignatureOfAnotherEncoding(t *testing.T) {
	srv := newServer(t)
	srv.Handle("test.echo", func(url.Values) (any, error) { return true, nil })
	for name, test := range map[string]struct{ sent, signed, hint string }{
		"emoji as CESU-8":        {"a😀б", "a\xed\xa0\xbd\xed\xb8\x80б", "CESU-8"},
		"two emoji as CESU-8":    {"😀🎉", "\xed\xa0\xbd\xed\xb8\x80\xed\xa0\xbc\xed\xbe\x89", "CESU-8"},
		"True signed, true sent": {"true", "True", "capital"},
		"true signed, True sent": {"True", "true", "lower case"},
		"False signed":           {"false", "False", "capital"},
		"invalid UTF-8":          {"a\xff", "a\xff", "not valid UTF-8"},
		"half a rune":            {"\xd0", "\xd0", "not valid UTF-8"},
		"CESU-8 sent":            {"\xed\xa0\xbd\xed\xb8\x80", "\xed\xa0\xbd\xed\xb8\x80", "not valid UTF-8"},
		"emoji":                  {"😀", "😀", ""},
	} {
		params := sessionless("method", "test.echo", "text", test.signed)
		params.Set("text", test.sent)
		r := post(t, srv.InProcess(), realAPI, params)
		if code := r.code(t); (code == 104) != (test.hint != "") || !strings.Contains(r.body, test.hint) {
			t.Errorf("%s: got %s, want %q", name, r.body, test.hint)
		}
	}
}

// What is signed right is accepted, whatever the parameters are.
func FuzzSignatureAccepted(f *testing.F) {
	f.Add("status", "Привет, мир + 1&a=b%20", "a1", "")
	f.Add("", "", "session_secret", "x\x00\xff;")
	f.Add("sig", "x", "format", "XML")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		srv := oktest.NewServer(app)
		defer srv.Close()
		srv.Handle("test.echo", func(url.Values) (any, error) { return true, nil })
		params := values(name1, value1, name2, value2)
		for _, special := range []string{"sig", "resig", "access_token", "session_key", "application_key", "method",
			"application_secret_key", "client_secret", "session_secret_key"} {
			params.Del(special)
		}
		params.Set("method", "test.echo")
		r := post(t, srv.InProcess(), realAPI, signed(params, "", app.Secret))
		if !utf8.ValidString(name1 + value1 + name2 + value2) {
			return // rejected: TestSignatureOfAnotherEncoding
		}
		if got := last(t, srv); got.Code != 0 || got.Circuit != "sessionless" || r.body != "true" {
			t.Errorf("%q: %v %s", params, got, r.body)
		}
	})
}
