package okerrors_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"runtime"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
)

func TestErrorText(t *testing.T) {
	tests := map[string]struct {
		err  okerrors.Error
		want string
	}{
		"with method": {
			okerrors.Error{Code: 102, Message: "PARAM_SESSION_EXPIRED : Session expired", Method: "users.getCurrentUser"},
			"okru: users.getCurrentUser: PARAM_SESSION_EXPIRED (102): Session expired",
		},
		"without method": {
			okerrors.Error{Code: 2, Message: "SERVICE : Service is temporary unavailable., logged by ID :"},
			"okru: SERVICE (2): Service is temporary unavailable., logged by ID :",
		},
		"without message":        {okerrors.Error{Code: 8}, "okru: FLOOD_BLOCKED (8)"},
		"name alone":             {okerrors.Error{Code: 8, Message: "FLOOD_BLOCKED"}, "okru: FLOOD_BLOCKED (8)"},
		"name and colon":         {okerrors.Error{Code: 8, Message: "FLOOD_BLOCKED :"}, "okru: FLOOD_BLOCKED (8)"},
		"no blanks":              {okerrors.Error{Code: 8, Message: "FLOOD_BLOCKED:wait"}, "okru: FLOOD_BLOCKED (8): wait"},
		"message without name":   {okerrors.Error{Code: 100, Message: "uid: bad"}, "okru: PARAM (100): uid: bad"},
		"name of another code":   {okerrors.Error{Code: 30, Message: "NETWORK : down"}, "okru: TOO_LONG_REQUEST_SIZE (30): NETWORK : down"},
		"longer name":            {okerrors.Error{Code: 100, Message: "PARAM_X : bad"}, "okru: PARAM (100): PARAM_X : bad"},
		"unknown code":           {okerrors.Error{Code: 4242, Message: "NEW_THING : text"}, "okru: NEW_THING (4242): text"},
		"unknown code, no name":  {okerrors.Error{Code: 4242, Message: "Some text: here"}, "okru: CODE (4242): Some text: here"},
		"unknown code, short":    {okerrors.Error{Code: 4242, Message: "A : x"}, "okru: CODE (4242): A : x"},
		"unknown code, digits":   {okerrors.Error{Code: 4242, Message: "Z9_0 : x"}, "okru: Z9_0 (4242): x"},
		"unknown code, two":      {okerrors.Error{Code: 4242, Message: "A_ : x"}, "okru: A_ (4242): x"},
		"unknown code, number":   {okerrors.Error{Code: 4242, Message: "0X : x"}, "okru: CODE (4242): 0X : x"},
		"unknown code, bound":    {okerrors.Error{Code: 4242, Message: strings.Repeat("X", 64) + " : a"}, "okru: " + strings.Repeat("X", 64) + " (4242): a"},
		"unknown code, nothing":  {okerrors.Error{Code: 4242}, "okru: CODE (4242)"},
		"unknown code, too long": {okerrors.Error{Code: 4242, Message: strings.Repeat("X", 65) + " : a"}, "okru: CODE (4242): " + strings.Repeat("X", 65) + " : a"},
		"zero":                   {okerrors.Error{}, "okru: CODE (0)"},
		"several lines":          {okerrors.Error{Code: 1, Message: "UNKNOWN : a\r\nb\x00\x1b[31mc\xff"}, "okru: UNKNOWN (1): a  b  [31mc\ufffd"},
		"echoed token": {
			okerrors.Error{Code: 4, Message: "REQUEST : bad /fb.do?access_token=CANARY&sig=CANARY"},
			"okru: REQUEST (4): bad /fb.do?access_token=[redacted]&sig=[redacted]",
		},
		"the user must act": {
			okerrors.Error{Code: 403, Message: "AUTH_LOGIN_WEB_HUMAN_CHECK : Check", URL: "https://ok.ru/?st=CANARY"},
			"okru: AUTH_LOGIN_WEB_HUMAN_CHECK (403): Check (the user must open Error.URL)",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.err.Error(); got != tt.want {
				t.Errorf("Error() = %q\n           want %q", got, tt.want)
			}
		})
	}
}

func TestErrorTextIsBounded(t *testing.T) {
	for _, letter := range []string{"x", "ж", "€", "💥"} {
		e := okerrors.Error{Code: 1, Message: strings.Repeat(letter, 100_000), Method: strings.Repeat(letter, 100_000)}
		got := e.Error()
		if len(got) > 1100 || !strings.HasSuffix(got, letter+"…") || strings.Contains(got, "\ufffd") {
			t.Errorf("Error() has %d bytes and ends with %q", len(got), got[max(0, len(got)-20):])
		}
	}
}

// TestErrorTextAtTheBound has messages of as many bytes as are printed, and of
// one more. A letter is not cut in two, and what has no letters is left out.
func TestErrorTextAtTheBound(t *testing.T) {
	long := strings.Repeat("x", 512)
	for message, want := range map[string]string{
		long:                              long,
		long + "y":                        long + "…",
		long[1:] + "ж":                    long[1:] + "…",
		long[2:] + "жy":                   long[2:] + "ж…",
		strings.Repeat("\x80", 513):       "…",
		"x" + strings.Repeat("\x80", 512): "…",
	} {
		if got := (&okerrors.Error{Code: 1, Message: message}).Error(); got != "okru: UNKNOWN (1): "+want {
			t.Errorf("%d bytes: Error() = %q, want %q at the end", len(message), got, want)
		}
	}
}

func TestErrorTextOfBytes(t *testing.T) {
	for text, most := range map[string]int{
		strings.Repeat("\x80", 600): 600, strings.Repeat("sig=a&", 200): 600, strings.Repeat("\xff", 600): 600,
	} {
		if got := (&okerrors.Error{Code: 1, Message: text}).Error(); len(got) > most {
			t.Errorf("%.12q: Error() has %d bytes", text, len(got))
		}
	}
}

// TestErrorTextIsCheap prints long messages: they are truncated before they
// are redacted, and so need no memory of their size.
func TestErrorTextIsCheap(t *testing.T) {
	for _, part := range []string{"&amp;", "%25", "access_token=", "x", " ", "A"} {
		e := &okerrors.Error{Code: 1, Message: strings.Repeat(part, (64<<10)/len(part))}
		const runs = 50
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			_ = e.Error()
		}
		runtime.ReadMemStats(&after)
		if n := (after.TotalAlloc - before.TotalAlloc) / runs; n > 32<<10 {
			t.Errorf("%q: Error() allocates %d bytes", part, n)
		}
	}
}

// TestIs goes through what wraps an error on its way to the caller.
func TestIs(t *testing.T) {
	e := &okerrors.Error{Code: okerrors.CodeFloodBlocked}
	for name, err := range map[string]error{
		"itself": e,
		"client": &url.Error{Op: "Get", URL: "https://api.ok.ru", Err: e},
		"%w":     fmt.Errorf("call: %w", &url.Error{Err: e}),
		"joined": errors.Join(errors.New("other"), e),
	} {
		if !errors.Is(err, okerrors.CodeFloodBlocked) || errors.Is(err, okerrors.CodeService) {
			t.Errorf("%s: errors.Is does not distinguish the codes", name)
		}
		if !errors.Is(err, okerrors.ErrThrottled) || errors.Is(err, okerrors.ErrTransient) {
			t.Errorf("%s: errors.Is does not distinguish the classes", name)
		}
		if got, ok := errors.AsType[*okerrors.Error](err); !ok || got != e {
			t.Errorf("%s: errors.AsType[*Error] = %v, %v", name, got, ok)
		}
		if got, ok := errors.AsType[okerrors.Code](err); !ok || got != okerrors.CodeFloodBlocked {
			t.Errorf("%s: errors.AsType[Code] = %v, %v", name, got, ok)
		}
	}
}

func TestLogValue(t *testing.T) {
	e := &okerrors.Error{Code: 100, Message: "PARAM : Invalid uid", Field: "u\nid", Method: "users.getInfo", Status: 200}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "err", e)
	want := `"err":{"code":100,"name":"PARAM","message":"Invalid uid","field":"u id","method":"users.getInfo","status":200}`
	if !strings.Contains(out.String(), want) {
		t.Errorf("slog wrote %s\nwant %s", &out, want)
	}

	out.Reset()
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "err", okerrors.Error{Code: 403, URL: "https://ok.ru/"})
	if want := "err.code=403 err.name=AUTH_LOGIN_WEB_HUMAN_CHECK err.url=true\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("slog wrote %s\nwant %s", &out, want)
	}
}

func TestFormat(t *testing.T) {
	e := &okerrors.Error{Code: 8, Message: "FLOOD_BLOCKED : wait"}
	const text = "okru: FLOOD_BLOCKED (8): wait"
	for format, want := range map[string]string{
		"%v": text, "%+v": text, "%#v": text, "%d": text, "%s": text,
		"%q": `"` + text + `"`, "%x": fmt.Sprintf("%x", text), "%30s": " " + text,
	} {
		if got := fmt.Sprintf(format, e); got != want {
			t.Errorf("%s of *Error: %q, want %q", format, got, want)
		}
		if got := fmt.Sprintf(format, *e); got != want {
			t.Errorf("%s of Error: %q, want %q", format, got, want)
		}
	}
	var none *okerrors.Error
	if got := fmt.Sprint(none); got != "<nil>" {
		t.Errorf("a nil *Error prints %q", got)
	}
}

// TestCanary lets a server put secrets into every part of an error and looks
// for them in everything an error can be turned into.
func TestCanary(t *testing.T) {
	resp := respond(`{"error_code":107,"session_key":"CANARY-key","session_secret_key":"CANARY-secret",` +
		`"error_msg":"PARAM_SESSION_KEY_CHANGED : session_key=CANARY-key, see \"session_secret_key\": \"CANARY-secret\"",` +
		`"error_data":{"access_token":"CANARY"},"custom_error":{"access_token":"CANARY"},` +
		`"error_field":"access_token=CANARY","ver_redirect_url":"https://ok.ru/?token=CANARY"}`)
	resp.Request = request(t, "https://api.ok.ru/fb.do?method=users.getInfo%26access_token%3DCANARY&access_token=CANARY")
	e := mustError(t, resp)
	if key, secret, ok := e.NewSession(); key != "CANARY-key" || secret != "CANARY-secret" || !ok {
		t.Fatalf("NewSession() = %q, %q, %v", key, secret, ok)
	}
	if e.URL == "" || len(e.Data) == 0 || len(e.Custom) == 0 || e.Method == "" {
		t.Fatal("the error lacks what this test is about")
	}
	for name, v := range map[string]any{
		"*Error": e, "Error": *e, "url.Error": &url.Error{Op: "Get", URL: "/", Err: e}, "%w": fmt.Errorf("x: %w", e),
		"field": struct{ Err error }{e}, "slice": []okerrors.Error{*e}, "body": resp.Body,
	} {
		for _, out := range printed(t, v) {
			if leaks(out) {
				t.Errorf("%s: a secret in %s", name, out)
			}
		}
	}
}

// TestCanaryInField looks at an Error that package fmt prints by itself, for
// it cannot call the methods of an unexported field.
func TestCanaryInField(t *testing.T) {
	e := mustError(t, respond(`{"error_code":107,"session_key":"CANARY-key","session_secret_key":"CANARY-secret",`+
		`"error_msg":"bad access_token=CANARY","error_field":"session_key=CANARY"}`))
	for _, v := range []any{struct{ err okerrors.Error }{*e}, struct{ err *okerrors.Error }{e}, struct{ err error }{e}} {
		for _, out := range printed(t, v) {
			if leaks(out) {
				t.Errorf("a secret in %s", out)
			}
		}
	}
}

// leaks looks for the canary, also in hexadecimal and as a list of bytes.
func leaks(out string) bool {
	const canary = "CANARY"
	bytes := strings.Trim(fmt.Sprint([]byte(canary)), "[]")
	return strings.Contains(out, canary) || strings.Contains(strings.ToLower(out), fmt.Sprintf("%x", canary)) ||
		strings.Contains(out, bytes) || strings.Contains(out, strings.Trim(fmt.Sprintf("%#v", []byte(canary)), "[]byte{}"))
}

// printed returns v in all the ways Go prints.
func printed(t *testing.T, v any) (all []string) {
	for _, format := range []string{"%v", "%+v", "%#v", "%d", "%q", "%s", "%x", "%X"} {
		all = append(all, fmt.Sprintf(format, v))
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Errorf("json.Marshal: %v", err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
	return append(all, string(encoded), log.String())
}

func TestLeaks(t *testing.T) {
	for _, format := range []string{"%s", "%x", "%X", "%d", "%v", "%#v", "%q"} {
		if out := fmt.Sprintf("."+format+".", []byte("a CANARY b")); !leaks(out) {
			t.Errorf("no canary found in %s", out)
		}
	}
}

func TestMarshalJSON(t *testing.T) {
	e := &okerrors.Error{Code: 4242, Message: "text", Status: 503, URL: "https://ok.ru/"}
	got, err := json.Marshal(e)
	if want := `{"code":4242,"message":"text","name":"CODE","status":503,"url":true}`; err != nil || string(got) != want {
		t.Errorf("json.Marshal = %s, %v; want %s", got, err, want)
	}
}
