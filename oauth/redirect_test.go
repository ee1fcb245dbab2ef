package oauth_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

func TestParseRedirect(t *testing.T) {
	tests := map[string]struct {
		url, state string
		code       string
		access     string
		err        error
		oauth      string // code of the RetrieveError
	}{
		"code":                    {"https://example.org/back?code=C%2B1&state=s", "s", "C+1", "", nil, ""},
		"code, relative":          {"/back?state=s&code=C&permissions_granted=A%3BB", "s", "C", "", nil, ""},
		"code, query only":        {"?code=C&state=s", "s", "C", "", nil, ""},
		"code, raw semicolon":     {"?code=C&permissions_granted=A;B&state=s", "s", "C", "", nil, ""},
		"code, empty fragment":    {"?code=C&state=s#", "s", "C", "", nil, ""},
		"token":                   {blank + goodFragment, "st&te", "", "AT", nil, ""},
		"token, custom scheme":    {"okauth://ok512" + goodFragment, "st&te", "", "AT", nil, ""},
		"no state at all":         {"?code=C", "", "C", "", nil, ""},
		"state unasked":           {"?code=C&state=s", "", "", "", oauth.ErrState, ""},
		"state missing":           {"?code=C", "s", "", "", oauth.ErrState, ""},
		"state differs":           {"?code=C&state=t", "s", "", "", oauth.ErrState, ""},
		"state differs, token":    {"#access_token=A&state=t", "s", "", "", oauth.ErrState, ""},
		"denied, query":           {"?error=access_denied&error_description=no&state=s", "s", "", "", oauth.ErrDenied, "access_denied"},
		"denied, fragment":        {"#error=access_denied", "s", "", "", oauth.ErrSignIn, "access_denied"},
		"denied, code like it":    {"?error=access_denied&code=access_denied&state=s", "s", "", "", oauth.ErrDenied, "access_denied"},
		"error, other state":      {"#error=access_denied&state=t", "s", "", "", oauth.ErrState, ""},
		"other error":             {"#error=invalid_scope&state=s", "s", "", "", nil, "invalid_scope"},
		"error and code":          {"?code=C&state=s#error=server_error", "s", "", "", nil, "server_error"},
		"nothing":                 {"https://example.org/back?state=s", "s", "", "", errAny, ""},
		"empty":                   {"", "", "", "", errAny, ""},
		"code twice":              {"?code=C&code=D&state=s", "s", "", "", errAny, ""},
		"state twice":             {"?code=C&state=s&state=t", "s", "", "", errAny, ""},
		"state in both":           {"?code=C&state=s#state=s", "s", "", "", errAny, ""},
		"bad escape":              {"?code=%zz&state=s", "s", "", "", errAny, ""},
		"empty code":              {"?code=&state=s", "s", "", "", errAny, ""},
		"empty error means none":  {"?code=C&error=&state=s", "s", "C", "", nil, ""},
		"expires_in is tolerated": {"#access_token=A&expires_in=soon&state=s", "s", "", "A", nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			code, got, err := oauth.ParseRedirect(test.url, test.state)
			re, ok := errors.AsType[*oauth2.RetrieveError](err)
			switch {
			case test.err == errAny && err == nil, test.err == nil && test.oauth == "" && err != nil,
				test.err != nil && test.err != errAny && !errors.Is(err, test.err):
				t.Errorf("error is %v, want %v", err, test.err)
			case ok != (test.oauth != "") || ok && re.ErrorCode != test.oauth:
				t.Errorf("error is %v, want code %q", err, test.oauth)
			case err != nil && (code != "" || got != nil):
				t.Errorf("an error comes with %q and %v", code, got)
			}
			if code != test.code {
				t.Errorf("code is %q, want %q", code, test.code)
			}
			if got == nil {
				got = new(oauth2.Token)
			}
			if got.AccessToken != test.access {
				t.Errorf("access token is %q, want %q", got.AccessToken, test.access)
			}
		})
	}
}

// What OK does not send belongs to the redirect URI. The first value counts.
func TestParseRedirectOtherParameters(t *testing.T) {
	_, got, err := oauth.ParseRedirect("https://example.org/back?a=1&a=2&=x&%zz=1&b=%zz&c=%D1%8F#access_token=A&a=3&d", "")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{"a": "1", "": nil, "%zz": nil, "b": nil, "c": "я", "d": ""} {
		if v := got.Extra(name); v != want {
			t.Errorf("%q is %#v, want %#v", name, v, want)
		}
	}
}

var errAny = errors.New("any error")

func TestAuthURL(t *testing.T) {
	for name, test := range map[string]struct{ got, want string }{
		"code": {
			oauth.Code{ClientID: "512", ClientSecret: "CANARY", RedirectURL: "https://example.org/back?a=1"}.AuthURL("s&t", oauth.ScopeValuableAccess, oauth.ScopeGetEmail),
			"client_id=512&redirect_uri=https%3A%2F%2Fexample.org%2Fback%3Fa%3D1&response_type=code&scope=VALUABLE_ACCESS%3BGET_EMAIL&state=s%26t",
		},
		"code, bare":           {oauth.Code{ClientID: "512"}.AuthURL(""), "client_id=512&response_type=code"},
		"code, joined already": {oauth.Code{ClientID: "512"}.AuthURL("s", "A;B", "C"), "client_id=512&response_type=code&scope=A%3BB%3BC&state=s"},
		"implicit": {
			oauth.Implicit{ClientID: "512", Login: "CANARY", Password: "CANARY", RedirectURL: "okauth://ok512", State: "s", Scopes: []string{"A", "B"}}.AuthURL(),
			"client_id=512&redirect_uri=okauth%3A%2F%2Fok512&response_type=token&scope=A%3BB&state=s",
		},
		"implicit, bare": {oauth.Implicit{ClientID: "512"}.AuthURL(), "client_id=512&redirect_uri=https%3A%2F%2Fapi.ok.ru%2Fblank.html&response_type=token"},
	} {
		if want := "https://connect.ok.ru/oauth/authorize?" + test.want; test.got != want {
			t.Errorf("%s: AuthURL is\n%s, want\n%s", name, test.got, want)
		}
	}
}

func TestEndpointForXOAuth2(t *testing.T) {
	c := oauth2.Config{ClientID: "512", Endpoint: oauth.Endpoint, Scopes: []string{"A;B"}}
	if got := c.AuthCodeURL("s"); got != (oauth.Code{ClientID: "512"}).AuthURL("s", "A", "B") {
		t.Errorf("an oauth2.Config makes %s", got)
	}
	if c.Endpoint.TokenURL != "https://api.ok.ru/oauth/token.do" || c.Endpoint.AuthStyle != oauth2.AuthStyleInParams {
		t.Errorf("endpoint is %+v", c.Endpoint)
	}
}

func FuzzParseRedirect(f *testing.F) {
	f.Add("https://example.org/back?code=C&state=s", "s")
	f.Add(blank+goodFragment, "st&te")
	f.Add("?code=C&permissions_granted=A;B&state=s#error=access_denied", "s")
	f.Add("#error=e&error_description=access_token%3DX", "")
	f.Add("?%zz=1&&=&;;#%", "\x00")
	f.Fuzz(func(t *testing.T, rawURL, state string) {
		// With secrets that cannot be mistaken for something else, in each place.
		const canary = "CANARY-0123456789"
		for _, more := range []string{
			"", "&access_token=" + canary, "&code=" + canary + "&error=" + canary, "&session_secret_key=" + canary + "&error=x&error_description=" + canary,
		} {
			code, got, err := oauth.ParseRedirect(rawURL+more, state)
			switch {
			case err == nil && code == "" && got == nil:
				t.Errorf("%q: neither a result nor an error", rawURL+more)
			case err != nil && (code != "" || got != nil):
				t.Errorf("%q: result and error", rawURL+more)
			case err != nil && strings.Contains(err.Error(), canary):
				t.Errorf("%q: error leaks: %v", rawURL+more, err)
			}
			if got != nil && got.AccessToken == "" {
				t.Errorf("%q: a session without access token", rawURL+more)
			}
			if _, _, err := oauth.ParseRedirect(rawURL+more, "another "+canary); err == nil && !strings.Contains(rawURL, "another") {
				t.Errorf("%q: accepted without its state", rawURL+more)
			}
		}
	})
}

// The scopes are named as in OK's documentation.
func TestScopes(t *testing.T) {
	for got, want := range map[string]string{
		oauth.ScopeValuableAccess: "VALUABLE_ACCESS", oauth.ScopeLongAccessToken: "LONG_ACCESS_TOKEN", oauth.ScopePhotoContent: "PHOTO_CONTENT",
		oauth.ScopeGroupContent: "GROUP_CONTENT", oauth.ScopeVideoContent: "VIDEO_CONTENT", oauth.ScopeAppInvite: "APP_INVITE",
		oauth.ScopeGetEmail: "GET_EMAIL", oauth.ScopeSetStatus: "SET_STATUS", oauth.ScopePublishNote: "PUBLISH_NOTE",
		oauth.ScopePublishToStream: "PUBLISH_TO_STREAM", oauth.ScopeLike: "LIKE", oauth.ScopeMessaging: "MESSAGING",
	} {
		if got != want {
			t.Errorf("a scope is %q, want %q", got, want)
		}
	}
}
