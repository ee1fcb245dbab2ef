package main

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func hash(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// The worked example of the server circuit in the documentation of aiookru.
func TestSignWorkedExample(t *testing.T) {
	s := newShell(t).set(map[string]string{
		"OKRU_APPLICATION_KEY":    "ABCDEFGHIGKLMNOPK",
		"OKRU_APPLICATION_SECRET": "ABC123DEF456GHI789JKL123",
		"OKRU_ACCESS_TOKEN":       "-s-84W-s3egarWUsbkq-IWTucuedzTKT8VUXIA.s4Xx8IW7",
		"OKRU_SESSION_SECRET_KEY": "",
	})
	s.secrets = append(s.secrets, "ABC123DEF456GHI789JKL123", "-s-84W-s3egarWUsbkq-IWTucuedzTKT8VUXIA.s4Xx8IW7", "b1a2b89707a94624c43afae67d59274c")
	const want = `Circuit ServerServer: the secret is MD5(access_token + application_secret_key), in lower-case hex.

1. The parameters, sorted by name; sig, resig and access_token are not among them:
   application_key=ABCDEFGHIGKLMNOPK
   format=json
   method=events.get

2. Joined without anything in between, as they are before they are percent-encoded, then the secret:
   application_key=ABCDEFGHIGKLMNOPKformat=jsonmethod=events.get***

3. MD5 of these bytes in UTF-8, in lower-case hex, is sig:
   232c8eb921951c4dba9b72606f9ddb4c

4. The request:
   POST https://api.ok.ru/fb.do
   Content-Type: application/x-www-form-urlencoded

   application_key=ABCDEFGHIGKLMNOPK&format=json&method=events.get&sig=232c8eb921951c4dba9b72606f9ddb4c&access_token=***
`
	if got := s.must("sign", "events.get"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The service accepts the request that sign prints, on each circuit.
func TestSignIsAccepted(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"server":      {},
		"client":      {"OKRU_APPLICATION_SECRET": ""},
		"sessionless": {"OKRU_ACCESS_TOKEN": ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			token := s.env["OKRU_ACCESS_TOKEN"]
			lines := strings.Split(strings.TrimSpace(s.set(env).must("sign", "group.getInfo", "uids=54000000000001", "fields=name,uid", "x=Привет 1+1&a=b")), "\n")
			body := strings.Replace(strings.TrimSpace(lines[len(lines)-1]), mask, url.QueryEscape(token), 1)
			resp, err := http.Post(s.srv.URL()+"/fb.do", "application/x-www-form-urlencoded", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			calls := s.srv.Calls()
			if c := calls[len(calls)-1]; !c.Ran || c.Circuit != name {
				t.Errorf("the call is %v", c)
			}
		})
	}
}

// Each row is a mistake that was seen in a program that calls OK, in a bug
// report or a tutorial, made here by hand for one call.
func TestSignExplainsMistakes(t *testing.T) {
	const (
		key, app, token, session = "KEY", "appSecret9", "tok.EN", "0123abcd"
		text                     = "application_key=KEYattachment={\"a\": \"b c\"}format=jsonmethod=mediatopic.posttype=USER_STATUS"
		encoded                  = "application_key=KEYattachment=%7B%22a%22%3A%20%22b%20c%22%7Dformat=jsonmethod=mediatopic.posttype=USER_STATUS"
	)
	derived := hash(token + app)
	for name, test := range map[string]struct {
		sig  string
		want string
	}{
		"unsorted":                     {hash("method=mediatopic.postattachment={\"a\": \"b c\"}type=USER_STATUSapplication_key=KEYformat=json" + derived), "not sorted"},
		"access_token signed":          {hash("access_token=tok.EN" + text + derived), "access_token is signed"},
		"session_key signed":           {hash(strings.Replace(text, "type", "session_key=tok.ENtype", 1) + derived), "session_key is signed"},
		"application secret":           {hash(text + app), "the application_secret_key itself: it is MD5(access_token + application_secret_key)"},
		"session secret":               {hash(text + session), "the session_secret_key: it is MD5"},
		"derived from session secret":  {hash(text + hash(token+session)), "derived from the session_secret_key"},
		"derived the wrong way round":  {hash(text + hash(app+token)), "the wrong way round"},
		"derived in upper case":        {hash(text + strings.ToUpper(derived)), "derived secret is in upper-case hex"},
		"not derived, not hashed":      {hash(text + token + app), "not hashed"},
		"upper case":                   {strings.ToUpper(hash(text + derived)), "upper-case hex: write it in lower case"},
		"percent-encoded":              {hash(encoded + derived), "percent-encoded values are signed"},
		"percent-encoded with +":       {hash(strings.ReplaceAll(encoded, "%20", "+") + derived), "percent-encoded values are signed"},
		"joined by &":                  {hash(strings.NewReplacer("KEYatt", "KEY&att", "}for", "}&for", "jsonmet", "json&met", "posttype", "post&type").Replace(text) + derived), "joined by &"},
		"format missing":               {hash(strings.Replace(text, "format=json", "", 1) + derived), "format is not signed"},
		"application_key missing":      {hash(strings.Replace(text, "application_key=KEY", "", 1) + derived), "application_key is not signed"},
		"method missing":               {hash(strings.Replace(text, "method=mediatopic.post", "", 1) + derived), "method is not signed"},
		"secret first":                 {hash(derived + text), "comes before the parameters"},
		"secret missing":               {hash(text), "the secret is missing"},
		"secret with a line break":     {hash(text + derived + "\n"), "ends with a line break"},
		"hashed twice":                 {hash(hash(text) + derived), "before the secret is appended"},
		"hashes side by side":          {hash(text) + derived, "side by side"},
		"resig signed":                 {hash(strings.Replace(text, "type", "resig=Rtype", 1) + derived), "resig is signed"},
		"white space around":           {hash(text+derived) + "\n", "white space around"},
		"upper case, encoded, derived": {strings.ToUpper(hash(encoded + app)), "upper-case hex"},
		"unknown":                      {hash("anything"), "No known mistake"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t).set(map[string]string{"OKRU_APPLICATION_KEY": key, "OKRU_APPLICATION_SECRET": app,
				"OKRU_ACCESS_TOKEN": token, "OKRU_SESSION_SECRET_KEY": session})
			s.secrets = []string{app, token, "0123abcd", derived}
			if strings.Contains(test.sig, derived) {
				s.secrets = s.secrets[:3] // the signature that is explained has it
			}
			code, stdout, stderr := s.run("sign", "mediatopic.post", "type=USER_STATUS", `attachment={"a": "b c"}`, "resig=R", "--expect", test.sig)
			_, explanation, _ := strings.Cut(stdout, "is another one.")
			if code != exitDiffers || !strings.Contains(explanation, test.want) {
				t.Errorf("exit code %d, %s, %s, want %q", code, explanation, stderr, test.want)
			}
			if lines := strings.Count(explanation, "  - "); test.want != "No known mistake" && name != "upper case, encoded, derived" && lines != 1 {
				t.Errorf("%d mistakes are named, and there is one: %s", lines, explanation)
			}
		})
	}
}

// Other values need other parameters.
func TestSignExplainsValues(t *testing.T) {
	s := newShell(t).set(map[string]string{"OKRU_APPLICATION_KEY": "KEY", "OKRU_APPLICATION_SECRET": "appSecret9", "OKRU_ACCESS_TOKEN": ""})
	for _, test := range []struct{ param, signed, want string }{
		{"x=true", "x=True", "capital letter"},
		{"x=😀", "x=\xed\xa0\xbd\xed\xb8\x80", "CESU-8"},
		{"x=1", "", "x is not signed"},
	} {
		sig := hash("application_key=KEYformat=jsonmethod=group.getInfo" + test.signed + "appSecret9")
		_, stdout, _ := s.run("sign", "group.getInfo", test.param, "--expect", sig)
		if !strings.Contains(stdout, test.want) {
			t.Errorf("%s: %s, want %q", test.param, stdout, test.want)
		}
	}
	sig := hash("a=1application_key=KEYformat=jsonmethod=group.getInfoappSecret9")
	if out := s.must("sign", "group.getInfo", "a=1", "--expect", sig); !strings.Contains(out, "The signature is right.") {
		t.Error(out)
	}
	// a1 sorts before a as name=value, and after it by name.
	sig = hash("a1=2a=1application_key=KEYformat=jsonmethod=group.getInfoappSecret9")
	if _, out, _ := s.run("sign", "group.getInfo", "a=1", "a1=2", "--expect", sig); !strings.Contains(out, "sorted as name=value") {
		t.Error(out)
	}
}

func TestSignNeedsSecrets(t *testing.T) {
	for missing, test := range map[string]struct {
		env  map[string]string
		want string
	}{
		"key":              {map[string]string{"OKRU_APPLICATION_KEY": ""}, "set OKRU_APPLICATION_KEY"},
		"both secrets":     {map[string]string{"OKRU_APPLICATION_SECRET": "", "OKRU_SESSION_SECRET_KEY": ""}, "OKRU_APPLICATION_SECRET or OKRU_SESSION_SECRET_KEY"},
		"session and both": {map[string]string{"OKRU_APPLICATION_SECRET": "", "OKRU_ACCESS_TOKEN": ""}, "set OKRU_APPLICATION_SECRET"},
	} {
		t.Run(missing, func(t *testing.T) {
			newShell(t).set(test.env).fails(exitUsage, test.want, "sign", "users.getInfo")
		})
	}
}
