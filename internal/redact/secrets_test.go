package redact

import (
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"testing"
)

func TestSecretsClean(t *testing.T) {
	secrets := Secrets{"", "short", "session", "canary/token+1", "two words"}
	for _, test := range []struct{ text, want string }{
		{"session short", "session short"},
		{"of canary/token+1 here", "of " + Mark + " here"},
		{"?t=canary%2Ftoken%2B1&", "?t=" + Mark + "&"},
		{`"canary\/token+1"`, `"` + Mark + `"`},
		{"?t=canary%2ftoken%2b1&", "?t=" + Mark + "&"},
		{"?t=canary%252Ftoken%25252b1&", "?t=" + Mark + "&"},
		{"canary&#47;token&amp;#x2B;1", Mark},
		{`canary\u002Ftoken+1`, Mark},
		{"?t=two+words&", "?t=" + Mark + "&"},
		{"?t=two+words", "?t=" + Mark}, // a space is the only character that is escaped
		{"canary/token 1", Mark},
		{"CANARY/TOKEN+1", "CANARY/TOKEN+1"},
		{"canary/token+2", "canary/token+2"},
	} {
		if got := secrets.Clean(test.text); got != test.want || secrets.In(test.text) != (test.text != test.want) {
			t.Errorf("Clean(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}

// Whatever escapes a secret does not hide it.
func TestSecretsCleanEverySpelling(t *testing.T) {
	const secret = `tk/1 +=:<"&'>\\éя%`
	asJSON, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	ways := map[string]func(string) string{
		"query": url.QueryEscape, "path": url.PathEscape, "HTML": html.EscapeString,
		"JSON": func(text string) string { b, _ := json.Marshal(text); return string(b[1 : len(b)-1]) },
	}
	if got := (Secrets{secret}).Clean(string(asJSON)); got != `"`+Mark+`"` {
		t.Errorf("Clean(%s) = %s", asJSON, got)
	}
	for first, once := range ways {
		for second, twice := range ways {
			if text := twice(once(secret)); first == second || first == "JSON" && second == "HTML" {
				if got := (Secrets{secret}).Clean("a " + text + " z"); got != "a "+Mark+" z" {
					t.Errorf("%s, then %s: Clean(%q) = %q", first, second, text, got)
				}
			}
		}
		if got := (Secrets{secret}).Clean("a " + once(secret) + " z"); got != "a "+Mark+" z" {
			t.Errorf("%s: Clean(%q) = %q", first, once(secret), got)
		}
	}
}

// The longer one of two secrets is replaced as a whole: the rest of it would reveal a part.
func TestSecretsThatShareABeginning(t *testing.T) {
	if got := (Secrets{"canary", "canary-and-more"}).Clean("a canary-and-more z canary"); got != "a "+Mark+" z "+Mark {
		t.Errorf("Clean = %q", got)
	}
}

// What may be the beginning of a secret at the end of a text, and no more.
func TestStraddle(t *testing.T) {
	for _, test := range []struct{ secret, ends string }{
		{"secret-1", ""},
		{"secret-1", "s"},
		{"secret-1", "secret-"},
		{"secretsecret-1", "secretsecret"},
		{"canary/token+1", "canary/token+"},
		{"canary/token+1", "%63an%61ry%2Ftok"},
		{"canary/token+1", "canary%2"},
		{"canary/token+1", "canary&#4"},
		{"canary/token+1", `canary\u00`},
		{"secret-1", "%"},
		{"secret-1", "%7"},
		{"secret-1", `\`},
		{"secret-1", `\u`},
		{"secret-1", `\ud83d`},
		{"secret-1", "&am"},
		{"яcanary", `\u044fcan`},
		{"😀canary", `\ud83d\ude0`},
		{"50%abcdef", "50%ab"},
		{"secret\xff1", "secret\xff"},
		{"short", ""},
	} {
		for _, before := range []string{"", "a ", "x secret-1 ", "%41", `\u0041`, `\n`, `\"`, `\ud83d\ude01`, "&lt;", "&nbsp;", "& ", "&abcdefghijklm ", "%G", "secret-2", "canary/token-", "50%aX"} {
			if got := (Secrets{test.secret}).Straddle(before + test.ends); got != len(test.ends) {
				t.Errorf("of %q, %d bytes may begin %q; want %d", before+test.ends, got, test.secret, len(test.ends))
			}
		}
	}
}

// An escape of which a digit is an escape itself, which is cut off.
func TestStraddleOfNestedEscapes(t *testing.T) {
	for _, test := range []struct{ secret, text string }{
		{"abcdef12", "abcdef%%3312"}, {"2a4AA%22", "2a4AA%%322abb"}, {"abcdef12", "abcdef&#%34%39;2"},
	} {
		s := Secrets{test.secret}
		whole := []byte(test.text)
		s.Mask(whole)
		for end := range len(test.text) {
			part := []byte(test.text[:end])
			s.Mask(part)
			for i := range part[:end-s.Straddle(test.text[:end])] {
				if whole[i] == '*' && part[i] != '*' {
					t.Errorf("%q: byte %d of %q is shown once %d bytes are known", test.secret, i, test.text, end)
					break
				}
			}
		}
	}
}

// What is no secret to be found holds back nothing.
func TestStraddleOfWords(t *testing.T) {
	for _, secret := range []string{"session", "short", ""} {
		if got := (Secrets{secret}).Straddle("a sess"); got != 0 {
			t.Errorf("of %q, %d bytes may begin %q", "a sess", got, secret)
		}
	}
}

// A text may begin with its only escape.
func TestSecretBehindALead(t *testing.T) {
	for _, text := range []string{"%63anary-token", `\u0063anary-token`, "&#99;anary-token"} {
		if got := (Secrets{"canary-token"}).Clean(text); got != Mark {
			t.Errorf("Clean(%q) = %q", text, got)
		}
	}
}

// A part of a word of OK's messages is no such word.
func TestPartsOfWordsAreFound(t *testing.T) {
	for secret, want := range map[string]bool{"session": false, "sessio": true, "ession": true, "password ": true} {
		if got := (Secrets{secret}).In("a " + secret + " b"); got != want {
			t.Errorf("%q is found: %t, want %t", secret, got, want)
		}
	}
}

// A backslash before a letter is found however often it was escaped.
func TestSecretWithBackslashes(t *testing.T) {
	const secret = `tk\new\tab\-1`
	once, _ := json.Marshal(secret)
	twice, _ := json.Marshal(string(once))
	for _, text := range []string{secret, string(once), string(twice), url.QueryEscape(secret), url.QueryEscape(string(once)), html.EscapeString(string(once))} {
		if got := (Secrets{secret}).Clean("a " + text + " z"); strings.Contains(got, "ew") || strings.Contains(got, "ab") || !strings.Contains(got, Mark) {
			t.Errorf("Clean(%q) = %q", text, got)
		}
	}
}

// All secrets of two letters are found in all texts of them, overlaps included.
func TestFindOfTwoLetters(t *testing.T) {
	word := func(bits, length int) string {
		text := make([]byte, length)
		for i := range text {
			text[i] = "ab"[bits>>i&1]
		}
		return string(text)
	}
	const textLength = 10
	for s := range 1 << minSecret {
		secret := word(s, minSecret)
		for b := range 1 << textLength {
			text := word(b, textLength)
			var want [textLength]bool
			for i := range textLength - minSecret + 1 {
				for j := range minSecret {
					want[i+j] = want[i+j] || text[i:i+minSecret] == secret
				}
			}
			got := [textLength]bool{}
			copy(got[:], (Secrets{secret}).find(text))
			if got != want {
				t.Fatalf("%s in %s: covered %v, want %v", secret, text, got, want)
			}
		}
	}
}

func TestWordsAreLongEnough(t *testing.T) {
	for _, word := range strings.Fields(words) {
		if len(word) < minSecret {
			t.Errorf("%q is too short to be looked for", word)
		}
	}
}

// A Filter sees every text that shows a secret, and few others.
func TestFilter(t *testing.T) {
	mayShow := Secrets{"-s-0123456789.abcdefghijk", "0123456789ABCDEF01234567", "short"}.Filter()
	for text, want := range map[string]bool{
		"":                                   false,
		"short":                              false,
		"Apache":                             false,
		"application/json;charset=utf-8":     false,
		"Mon, 30 Nov 2026 10:00:00 GMT":      false,
		"/a?b=%20":                           false,
		"0123456789ABCDEF0123456":            false,
		"0123456789ABCDEF01234567":           true,
		"x=0123456789ABCDEF01234567":         true,
		"0123456789ABCDEF01234567=x":         true,
		"a/b/c/0123456789ABCDEF01234567/d/e": true,
		"0123456789abcdef0123456":            false,
		"https://api.ok.ru/?q=-s-0123456789.abcdefghijk": true,
		"%2Ds%2D0123456789.abcdefghijk":                  true,
		`\u002ds-0123456789.abcdefghijk`:                 true,
		"&#45;s-0123456789.abcdefghijk":                  true,
	} {
		if got := mayShow(text); got != want {
			t.Errorf("the Filter reports %t for %q", got, text)
		}
	}
	for _, secrets := range []Secrets{nil, {"short", ""}} {
		if secrets.Filter()("any text, and a long one") {
			t.Errorf("the Filter of %q reports a secret", secrets)
		}
	}
	if !(Secrets{"two words"}).Filter()("two+words") {
		t.Error("the Filter does not see another spelling of a space")
	}
}

// A secret that looks escaped is found as what it reads as, though that is shorter
// than the secret; and a Filter sees whatever In does.
func TestInAndFilterOfShorterTexts(t *testing.T) {
	for _, test := range []struct{ secret, text string }{
		{"canary%2Ftoken", "canary/token"},
		{"%63anary-1", "canary-1"},
		{`canary\\1`, `canary1`},
		{"canary&amp;1", "canary&1"},
		{"canary-n1", "canary-\n1 & more"},
	} {
		for _, secrets := range []Secrets{{test.secret}, {"another secret", test.secret}, {test.secret, "short1"}} {
			if !secrets.In(test.text) {
				t.Errorf("In(%q) does not see one of %q", test.text, secrets)
			}
			if !secrets.Filter()(test.text) {
				t.Errorf("the Filter of %q does not see %q", secrets, test.text)
			}
		}
	}
}

// hasRun finds every run, wherever it is, and no shorter one.
func TestHasRun(t *testing.T) {
	set := [256]bool{'x': true}
	for n := 1; n <= 5; n++ {
		for bits := range 1 << 10 {
			text := []byte(strings.Repeat(".", 10))
			for i := range text {
				if bits>>i&1 == 1 {
					text[i] = 'x'
				}
			}
			if got, want := hasRun(string(text), &set, n), strings.Contains(string(text), strings.Repeat("x", n)); got != want {
				t.Errorf("hasRun(%q, %d) = %t", text, n, got)
			}
		}
	}
}

// A Filter finds a plain secret wherever it is, whatever its length.
func TestFilterAtEachPosition(t *testing.T) {
	const secret = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for n := minSecret; n <= len(secret); n++ {
		mayShow := Secrets{secret[:n], secret}.Filter()
		for before := range 100 {
			for _, after := range []int{0, 1, 50} {
				if text := strings.Repeat(".", before) + secret[:n] + strings.Repeat(".", after); !mayShow(text) {
					t.Errorf("the Filter does not see %q in %q", secret[:n], text)
				}
			}
		}
	}
}
