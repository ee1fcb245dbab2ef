package oauth_test

import (
	"fmt"
	"maps"
	"net/url"
	"testing"

	"github.com/go-okru/okru/oauth"
)

func TestVerifyLaunch(t *testing.T) {
	good := url.Values{"logged_user_id": {"57"}, "session_key": {"SK"}, "auth_sig": {md5Hex("57SKSECRET")}, "api_server": {"https://evil.example/"}}
	if err := oauth.VerifyLaunch(good, "SECRET"); err != nil {
		t.Error(err)
	}
	if err := oauth.VerifyLaunch(good, "OTHER"); err == nil {
		t.Error("accepted with another secret")
	}
	if err := oauth.VerifyLaunch(good, ""); err == nil {
		t.Error("accepted without a secret")
	}
	for name, value := range map[string]string{
		"logged_user_id": "58", "session_key": "SL", "auth_sig": md5Hex("57_SK_SECRET"),
	} {
		for _, wrong := range []string{value, ""} {
			bad := maps.Clone(good)
			bad.Set(name, wrong)
			if err := oauth.VerifyLaunch(bad, "SECRET"); err == nil {
				t.Errorf("accepted with %s %q", name, wrong)
			}
		}
	}
}

// auth_sig of user 57 fits user 5 as well, with a session that begins with 7.
func TestVerifyLaunchOfAnotherUser(t *testing.T) {
	shifted := url.Values{"logged_user_id": {"5"}, "session_key": {"7SK"}, "auth_sig": {md5Hex("57SKSECRET")}}
	if err := oauth.VerifyLaunch(shifted, "SECRET"); err == nil {
		t.Error("user 57 passes for user 5")
	}
	shifted.Set("sig", "57SK")
	if err := oauth.VerifyLaunch(shifted, "SECRET"); err == nil {
		t.Error("accepted with a wrong sig")
	}
	shifted.Set("sig", md5Hex("auth_sig="+shifted.Get("auth_sig")+"logged_user_id=5session_key=7SKSECRET"))
	if err := oauth.VerifyLaunch(shifted, "SECRET"); err != nil { // OK says so itself
		t.Error(err)
	}
}

// sig covers everything but itself.
func TestVerifyLaunchBySig(t *testing.T) {
	authSig := md5Hex("57SKSECRET")
	text := "access_token=AT" + "application_key=CBA" + "auth_sig=" + authSig + "custom_args=" +
		"logged_user_id=57" + "resig=R" + "session_key=SK" + "session_secret_key=SSK"
	signed := url.Values{
		"logged_user_id": {"57"}, "session_key": {"SK"}, "session_secret_key": {"SSK"}, "auth_sig": {authSig},
		"access_token": {"AT"}, "application_key": {"CBA"}, "custom_args": {""}, "resig": {"R"}, "sig": {md5Hex(text + "SECRET")},
	}
	if err := oauth.VerifyLaunch(signed, "SECRET"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"access_token", "application_key", "custom_args", "resig", "session_secret_key", "more", "sig"} {
		forged := maps.Clone(signed)
		forged.Set(name, "forged")
		if oauth.VerifyLaunch(forged, "SECRET") == nil {
			t.Errorf("accepted with another %s", name)
		}
		if forged.Del(name); oauth.VerifyLaunch(forged, "SECRET") == nil && signed.Has(name) && name != "sig" {
			t.Errorf("accepted without %s", name)
		}
	}
}

// A program may read another of the two values than the signatures cover.
func TestVerifyLaunchWithAParameterTwice(t *testing.T) {
	for _, name := range []string{"logged_user_id", "session_key", "auth_sig", "sig", "custom_args"} {
		params := url.Values{"logged_user_id": {"57"}, "session_key": {"SK"}, "auth_sig": {md5Hex("57SKSECRET")}, "custom_args": {"a"}}
		params.Set("sig", md5Hex("auth_sig="+params.Get("auth_sig")+"custom_args=alogged_user_id=57session_key=SKSECRET"))
		if err := oauth.VerifyLaunch(params, "SECRET"); err != nil {
			t.Fatal(err)
		}
		if params.Add(name, "58"); oauth.VerifyLaunch(params, "SECRET") == nil {
			t.Errorf("accepted with %s twice", name)
		}
	}
}

func ExampleVerifyLaunch() {
	params := url.Values{ // of the request for the application's page
		"logged_user_id":     {"580000000001"},
		"session_key":        {"SK"},
		"session_secret_key": {"SSK"},
		"auth_sig":           {"9e3509971cb4ccfae049cbec47778168"},
	}
	err := oauth.VerifyLaunch(params, "APPLICATION SECRET KEY")
	fmt.Println(err)
	// Output: <nil>
}
