package redact

import "testing"

func TestText(t *testing.T) {
	const gone = Mark
	for text, want := range map[string]string{
		"a=1&access_token=X1&b=2":             "a=1&access_token=" + gone + "&b=2",
		"https://up.example/u?apiToken=X1":    "https://up.example/u?apiToken=" + gone,
		"?tkn=X1&auth_hash=X2&auth_sig=X3":    "?tkn=" + gone + "&auth_hash=" + gone + "&auth_sig=" + gone,
		`{"session_secret_key":"X1","uid":1}`: `{"session_secret_key":"` + gone + `","uid":1}`,
		`{\"refresh_token\":\"X1\"}`:          `{\"refresh_token\":\"` + gone + `\"}`,
		"SIG%3DX1":                            "SIG%3D" + gone,
		"error_code=102&method=users.getInfo": "error_code=102&method=users.getInfo",
		"design=1&tokens=3&secretary=Ann":     "design=1&tokens=3&secretary=Ann",
		"PARAM_SESSION_KEY : no session key":  "PARAM_SESSION_KEY : no session key",

		"u=https%3A%2F%2Fx%3Fsig%3DX1%2526y%26b%3D2":        "u=https%3A%2F%2Fx%3Fsig%3D" + gone + "%26b%3D2",
		"password=a%26b%20c&b=2":                            "password=" + gone + "&b=2",
		"?sig=X1&amp;b=2":                                   "?sig=" + gone + "&amp;b=2",
		`{"password":"my \"long\" & <secret>","a":"b"}`:     `{"password":"` + gone + `","a":"b"}`,
		`{"u":"?sig=ab\/cd\u0026a=b","c":1}`:                `{"u":"?sig=` + gone + `\u0026a=b","c":1}`,
		`{"session_key" : 12345, "code" : 102}`:             `{"session_key" : ` + gone + `, "code" : 102}`,
		"{\"sig\"\r\n\t :\r\n\t \"X1\"}":                    "{\"sig\"\r\n\t :\r\n\t \"" + gone + "\"}",
		`{"code":"X1"}`:                                     `{"code":"` + gone + `"}`,
		"&quot;sig&quot;:&quot;X1 &lt;&quot;, a":            "&quot;sig&quot;:&quot;" + gone + "&quot;, a",
		"<session_key>X1 X2</session_key>":                  "<session_key>" + gone + "</session_key>",
		`<input name=a token="X1 X2" b>`:                    `<input name=a token="` + gone + `" b>`,
		"Authorization: Bearer X1\r\nAccept: */*":           "Authorization: " + gone + "\r\nAccept: */*",
		`{"headers":"Cookie: a=1; b=2\r\nAge: 1"}`:          `{"headers":"Cookie: ` + gone + `\r\nAge: 1"}`,
		`map[Proxy-Authorization:[Basic X1] Vary:[Accept]]`: `map[Proxy-Authorization:` + gone + `] Vary:[Accept]]`,
		"token=" + gone + "&sig=":                           "token=" + gone + "&sig=",
		`{"Authorization":["Bearer X1"],"Vary":["a"]}`:      `{"Authorization":["` + gone + `"],"Vary":["a"]}`,
		`{"password":"cut off`:                              `{"password":"` + gone,
		"sig":                                               "sig", "sig=": "sig=", `"sig":`: `"sig":`, `"sig":"`: `"sig":"`, "<sig>": "<sig>", "=:>": "=:>", ":": ":", " : \"a\"": " : \"a\"", "\": x": "\": x", ">": ">", "": "",
	} {
		if got := Text(text); got != want {
			t.Errorf("Text(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestSecretName(t *testing.T) {
	for name, want := range map[string]bool{
		"sig": true, "access_token": true, "sdkToken": true, "fr.password": true, "st.SIG": true, "x-session_key": true, "x@sig": true, "x`sig": true, "x[sig": true, "x{sig": true, "x/sig": true, "x:sig": true,
		"": false, "design": false, "tokens": false, "error_code": false, "код": false, "кодtoken": true,
	} {
		if got := SecretName(name); got != want {
			t.Errorf("SecretName(%q) = %t", name, got)
		}
	}
}

func TestPage(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "",
		"plain words that are long-winded":  "plain words that are long-winded",
		"a -s-1aBcDeFgHiJkL, b":             "a " + Mark + ", b",
		"sig=1; 0123456789ab":               "sig=" + Mark + " " + Mark,
		"short 1234567890 я0123456789abя":   "short 1234567890 я" + Mark + "я",
		"<p>https://ok.ru/very/long/path 1": "<p>https://ok.ru/very/long/path 1",
	} {
		if got := Page(text); got != want {
			t.Errorf("Page(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestTruncate(t *testing.T) {
	for _, test := range []struct {
		text string
		n    int
		want string
	}{
		{"", 0, ""},
		{"short", 5, "short"},
		{"twos words", 3, "…"},
		{"twos words", 4, "twos…"},
		{"abcd ef", 6, "abcd…"},
		{"two words", 5, "two…"},
		{"two words", 3, "two…"},
		{"two  words", 4, "two…"},
		{"two words and", 9, "two words…"},
		{"secret-in-one-word", 6, "…"},
		{"сорок два", 11, "сорок…"},
		{"сорок два", 3, "…"},
		{"any", 0, "…"},
	} {
		if got := Truncate(test.text, test.n); got != test.want {
			t.Errorf("Truncate(%q, %d) = %q, want %q", test.text, test.n, got, test.want)
		}
	}
}
