package transport_test

import (
	"net/url"
	"testing"

	"github.com/go-okru/okru/transport"
)

// Vectors published by other clients of the API, and two of our own that pin
// the encoding and the order.
func TestSignature(t *testing.T) {
	const aiookru = "-s-84W-s3egarWUsbkq-IWTucuedzTKT8VUXIA.s4Xx8IW7"
	serverSecret := transport.DeriveSecret(aiookru, "ABC123DEF456GHI789JKL123")
	events := url.Values{"application_key": {"ABCDEFGHIGKLMNOPK"}, "format": {"json"}, "method": {"events.get"}}
	for _, test := range []struct {
		name   string
		params url.Values
		secret string
		want   string
	}{
		{"aiookru 0.1.1, server circuit", events, serverSecret, "232c8eb921951c4dba9b72606f9ddb4c"},
		{"aiookru 0.1.1, client circuit", events, "ae5362b5b588cc7294c2414d71b74d5d", "03a41413523ea8092507949d6e711963"},
		{"python-odnoklassniki", url.Values{"application_key": {"1"}, "format": {"json"}, "method": {"friends.get"}},
			transport.DeriveSecret("3", "2"), "d7348fe0d7d735aa2156fa5c596ab8cc"},
		{"gazay/odnoklassniki, path form", url.Values{"application_key": {"application_key"}},
			transport.DeriveSecret("token", "client_secret"), "4784959f6620c78221bff139d6cf9309"},
		{"left-out parameters", url.Values{"application_key": {"application_key"}, "sig": {"x"}, "resig": {"y"}, "access_token": {"token"}},
			transport.DeriveSecret("token", "client_secret"), "4784959f6620c78221bff139d6cf9309"},
		{"ours: UTF-8 and escapes", url.Values{"application_key": {"ABCDEFGHIGKLMNOPK"}, "format": {"json"},
			"method": {"users.setStatus"}, "status": {"Привет, мир + 1&a=b%20"}}, serverSecret, "ee5319948a4d531de630d621aa986511"},
		{"ours: path form", url.Values{"application_key": {"ABCDEFGHIGKLMNOPK"}, "format": {"json"}}, serverSecret, "86e6815312976a6186232b2f6ac8334c"},
		{"ours: order by key", url.Values{"a": {"1"}, "a1": {"2"}}, "s", "ebff34f787100357c3800542e6d8db31"},
		{"nothing", nil, "", "d41d8cd98f00b204e9800998ecf8427e"},
		{"a key without values", url.Values{"a": {}}, "", "d41d8cd98f00b204e9800998ecf8427e"},
	} {
		if got := transport.Signature(test.params, test.secret); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestDeriveSecret(t *testing.T) {
	for _, test := range []struct{ token, secret, want string }{
		{"-s-84W-s3egarWUsbkq-IWTucuedzTKT8VUXIA.s4Xx8IW7", "ABC123DEF456GHI789JKL123", "b1a2b89707a94624c43afae67d59274c"},
		{"3", "2", "6364d3f0f495b6ab9dcf8d3b5c6e0b01"},
	} {
		if got := transport.DeriveSecret(test.token, test.secret); got != test.want {
			t.Errorf("DeriveSecret(%q, %q) = %s, want %s", test.token, test.secret, got, test.want)
		}
	}
}
