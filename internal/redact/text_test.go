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
	} {
		if got := Text(text); got != want {
			t.Errorf("Text(%q) = %q, want %q", text, got, want)
		}
	}
}
