package oktest_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Calls as a shell makes them, over plain http: what a client in another
// language meets.
func TestCurl(t *testing.T) {
	for _, tool := range []string{"curl", "md5sum", "sh"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("OKRU_REQUIRE") != "" {
				t.Fatalf("this test needs %s: %v", tool, err)
			}
			t.Skipf("this test needs %s: %v", tool, err)
		}
	}
	srv := newServer(t)
	anna := srv.NewUser("anna", "secret")
	token, other := anna.Token(), srv.NewUser("boris", "secret").Token()
	// Variables of the script: the rows below change one thing each.
	variables := "URL=" + srv.URL() + "\nAPP=" + app.Key + "\nAPPSECRET=" + app.Secret +
		"\nTOKEN=" + token.AccessToken + "\nSECRET=" + token.Extra("session_secret_key").(string) +
		"\nOTHER=" + other.AccessToken + "\n" + `
md5() { printf %s "$1" | md5sum | cut -c1-32; }
call() { curl -sS --noproxy '*' -H 'Accept: application/json' "$@"; }
DERIVED=$(md5 "$TOKEN$APPSECRET")
BASE="application_key=$APP&format=json&method=users.getInfo&uids=570000000001"
TEXT="application_key=${APP}format=jsonmethod=users.getInfouids=570000000001"
SIG=$(md5 "$TEXT$DERIVED")
`
	for name, test := range map[string]struct {
		script string
		want   float64 // code, 0: accepted
	}{
		"unsigned": {`call "$URL/fb.do?application_key=$APP&method=sdk.init" -d 'session_data={"device_id":"x"}'`, 0},
		"server":   {`call "$URL/fb.do?$BASE&sig=$SIG&access_token=$TOKEN"`, 0},
		"client":   {`call "$URL/fb.do?$BASE&sig=$(md5 "$TEXT$SECRET")&access_token=$TOKEN"`, 0},
		"no session": {`call "$URL/fb.do?application_key=$APP&method=group.getInfo&uids=1&sig=$(
			md5 "application_key=${APP}method=group.getInfouids=1$APPSECRET")"`, 0},
		"POST": {`call -d "$BASE&sig=$SIG&access_token=$TOKEN" "$URL/fb.do"`, 0},
		"path": {`call "$URL/api/users/getLoggedInUser?application_key=$APP&access_token=$TOKEN&sig=$(
			md5 "application_key=$APP$DERIVED")"`, 0},
		"encoded": {`call -G "$URL/fb.do" --data-urlencode "application_key=$APP" --data-urlencode "method=users.getInfo" \
			--data-urlencode "uids=570000000001, 570000000002" --data-urlencode "access_token=$TOKEN" \
			--data-urlencode "sig=$(md5 "application_key=${APP}method=users.getInfouids=570000000001, 570000000002$DERIVED")"`, 0},

		"no signature":      {`call "$URL/fb.do?application_key=$APP&method=group.getInfo&uids=54000000000001"`, 104},
		"value":             {`call "$URL/fb.do?${BASE}2&sig=$SIG&access_token=$TOKEN"`, 104},
		"key":               {`call "$URL/fb.do?$(echo "$BASE" | sed s/uids/uid/)&sig=$SIG&access_token=$TOKEN"`, 104},
		"order":             {`call "$URL/fb.do?$BASE&access_token=$TOKEN&sig=$(md5 "format=jsonapplication_key=${APP}method=users.getInfouids=570000000001$DERIVED")"`, 104},
		"secret":            {`call "$URL/fb.do?$BASE&access_token=$TOKEN&sig=$(md5 "$TEXT$APPSECRET")"`, 104},
		"token":             {`call "$URL/fb.do?$BASE&sig=$SIG&access_token=x$TOKEN"`, 103},
		"missing parameter": {`call "$URL/fb.do?$(echo "$BASE" | sed 's/format=json&//')&sig=$SIG&access_token=$TOKEN"`, 104},
		"missing sig":       {`call "$URL/fb.do?$BASE&access_token=$TOKEN"`, 104},
		"missing key":       {`call "$URL/fb.do?$(echo "$BASE" | sed 's/application_key=[^&]*&//')&sig=$SIG&access_token=$TOKEN"`, 101},
		"missing session":   {`call "$URL/fb.do?$BASE&sig=$SIG"`, 453},
		"wrong session":     {`call "$URL/fb.do?$BASE&sig=$SIG&access_token=$OTHER"`, 104},
		"unknown method":    {`call "$URL/fb.do?$(echo "$BASE" | sed s/getInfo/getNothing/)&sig=$SIG&access_token=$TOKEN"`, 3},
		"repeated key":      {`call "$URL/fb.do?$BASE&uids=570000000001&sig=$SIG&access_token=$TOKEN"`, 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := exec.CommandContext(t.Context(), "sh", "-c", variables+test.script).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var got any
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatalf("not JSON: %s", out)
			}
			code := 0.0
			if object, ok := got.(map[string]any); ok {
				code, _ = object["error_code"].(float64)
			}
			if code != test.want {
				t.Errorf("got code %v, want %v: %s", code, test.want, strings.TrimSpace(string(out)))
			}
		})
	}
}
