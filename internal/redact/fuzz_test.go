package redact

import (
	"encoding/json"
	"encoding/xml"
	"html"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// ways are those in which servers escape what they echo.
var ways = []func(string) string{url.QueryEscape, url.PathEscape, html.EscapeString, inJSON}

func inJSON(text string) string {
	b, _ := json.Marshal(text)
	return string(b[1 : len(b)-1])
}

// spellings returns secret escaped up to depth times, in every order.
func spellings(secret string, depth int) []string {
	list := []string{secret}
	if depth == 0 {
		return list
	}
	for _, way := range ways {
		list = append(list, spellings(way(secret), depth-1)...)
	}
	return list
}

func firstIn(text string, parts []string) (string, bool) {
	for _, part := range parts {
		if strings.Contains(text, part) {
			return part, true
		}
	}
	return "", false
}

// A reference decodes a text in every possible way and keeps all results. It is
// slow.
type reference struct {
	text string
	at   []map[reading]bool
}

func newReference(text string) *reference {
	r := &reference{text, make([]map[reading]bool, len(text)+1)}
	for i := len(text) - 1; i >= 0; i-- {
		r.at[i] = map[reading]bool{{uint32(text[i]), int32(i + 1)}: true}
		for before := 0; before != len(r.at[i]); {
			before = len(r.at[i])
			for lead := range r.at[i] {
				for n := range len(text) - i {
					r.escapes(i, lead, n)
				}
			}
		}
	}
	return r
}

// escapes adds the readings of escapes that begin with lead and have n more
// characters.
func (r *reference) escapes(i int, lead reading, n int) {
	if !isLead(lead.char) || n > maxEntity {
		return
	}
	for tail, end := range r.strings(int(lead.end), n) {
		switch lead.char {
		case '%':
			if char, err := url.PathUnescape("%" + tail); n == 2 && err == nil {
				r.add(i, char, end)
			}
		case '&':
			if char := html.UnescapeString("&" + tail); utf8.RuneCountInString(char) == 1 && strings.HasSuffix(tail, ";") {
				r.add(i, char, end)
			}
		case '\\':
			var char string
			if json.Unmarshal([]byte(`"\`+tail+`"`), &char) == nil && char != "" {
				r.add(i, char, end)
			}
			if n == 1 {
				r.add(i, tail, end)
			}
			if digits, ok := strings.CutPrefix(tail, "x"); ok && n == 3 {
				if char, err := url.PathUnescape("%" + digits); err == nil {
					r.add(i, char, end)
				}
			}
		}
	}
}

func (r *reference) add(i int, char string, end int32) {
	packed := uint32(0)
	for _, c := range []byte(char) {
		packed = packed<<8 | uint32(c)
	}
	r.at[i][reading{packed, end}] = true
}

// strings yields all texts of n characters that may be read at i.
func (r *reference) strings(i, n int) func(func(string, int32) bool) {
	return func(yield func(string, int32) bool) {
		if n == 0 {
			yield("", int32(i))
			return
		}
		for first := range r.at[i] {
			for rest, end := range r.strings(int(first.end), n-1) {
				if !yield(chars(first)+rest, end) {
					return
				}
			}
		}
	}
}

func chars(r reading) string {
	var b []byte
	for char := r.char; ; char >>= 8 {
		b = append([]byte{byte(char)}, b...)
		if char <= 0xFF {
			return string(b)
		}
	}
}

// shows reports whether secret may be read anywhere.
func (r *reference) shows(secret string) bool {
	for i := range r.text {
		if r.reads(i, folded(secret)) {
			return true
		}
	}
	return false
}

func (r *reference) reads(i int, secret string) bool {
	if secret == "" {
		return true
	}
	for at := range r.at[i] {
		if rest, ok := strings.CutPrefix(secret, folded(chars(at))); ok && r.reads(int(at.end), rest) {
			return true
		}
	}
	return false
}

func folded(text string) string {
	b := []byte(text)
	for i, c := range b {
		b[i] = fold[c]
	}
	return string(b)
}

// isOpen reports whether what follows secret may change how its end is read.
func isOpen(secret string) bool {
	return strings.ContainsAny(secret[max(0, len(secret)-maxEntity-1):], leads)
}

// FuzzClean checks that no spelling of a secret is left, wherever it stands,
// and that nothing is taken for a secret that cannot be read as one.
func FuzzClean(f *testing.F) {
	f.Add("?token=", "canary/token+1", "&b=2", uint(0))
	f.Add("50%", "abc/def <&>", "41", uint(7))
	f.Add(`\`, `u0041 "x"`, `\u`, uint(11))
	f.Add(`\\\u00`, `41-abcdef`, `\`, uint(30))
	f.Add("&amp;&#", "38;é\u2028 я😀", ";", uint(50))
	f.Add("%25%2", "5252525", "%", uint(80))
	f.Add("?t=", "two words", "", uint(1))
	f.Add("a", "\u2028%0\f%0\a", "\xff", uint(22))
	f.Add("aaaaaaa", "aaaaaaaa", "aaaaaa", uint(1))
	f.Fuzz(func(t *testing.T, before, secret, after string, n uint) {
		if !searchable(secret) || !utf8.ValidString(secret) || len(secret) > 40 || strings.ContainsAny(secret, "[]*") || strings.Contains(Mark, secret) || len(canonical(secret)) < minSecret {
			return
		}
		if isOpen(secret) {
			after = ""
		}
		all := spellings(secret, 3)
		spelling := all[n%uint(len(all))]
		secrets := Secrets{secret}
		text := before + spelling + after
		clean := secrets.Clean(text)
		if left, ok := firstIn(clean, all); ok && !isOpen(secret) || strings.HasSuffix(clean, spelling) {
			t.Errorf("Clean(%q) = %q, which shows %q", text, clean, left)
		}
		if !secrets.In(text) {
			t.Errorf("In(%q) does not see %q", text, spelling)
		}
		if others := append(secrets, "another secret", "ANOTHER-secret"); !secrets.Filter()(text) || !others.Filter()(text) {
			t.Errorf("the Filter does not see %q in %q", spelling, text)
		}
		masked := []byte("neither JSON nor XML: " + text)
		if !secrets.Mask(masked) || strings.HasSuffix(string(masked), spelling) {
			t.Errorf("Mask(%q) makes %q", text, masked)
		}
		if text = before + "\n" + after; len(text) <= 24 && secrets.In(text) && !strings.Contains(text, secret) &&
			!newReference(text).shows(string(canonical(secret))) {
			t.Errorf("In(%q) sees %q", text, secret)
		}
	})
}

// FuzzMask checks that JSON and XML stay valid, and that no part of a body
// shows a secret.
func FuzzMask(f *testing.F) {
	f.Add(`{"a":"b","n":123456789}`, "123456", "x")
	f.Add(`<a b="c">canary&amp;1<!-- canary&1 --></a>`, "canary&1", "y")
	f.Add(`["\"\\u005c\u0022"]`, `"\u0022`, `\`)
	f.Add(`<a><![CDATA[ ]]]]> ]]></a>`, `]]]]> ]]>`, `\`)
	f.Fuzz(func(t *testing.T, body, secret, message string) {
		secrets := Secrets{secret}
		masked := []byte(body)
		secrets.Mask(masked)
		if len(masked) != len(body) {
			t.Fatalf("%q has another length than %q", masked, body)
		}
		if json.Valid([]byte(body)) && !json.Valid(masked) {
			t.Errorf("%q makes %q of %q", secret, masked, body)
		}
		if !strings.ContainsAny(secret, "<>/\\%&") && utf8.ValidString(secret) && isWellFormed([]byte(body)) && !isWellFormed(masked) {
			t.Errorf("%q makes %q of %q", secret, masked, body)
		}
		if !searchable(secret) || !utf8.ValidString(secret) || isOpen(secret) || strings.Contains(secret, "*") {
			return
		}
		for _, spelling := range spellings(secret, 1) {
			checkMasked(t, secrets, message+spelling+message)
		}
	})
}

// checkMasked masks JSON and XML that have message in them.
func checkMasked(t *testing.T, secrets Secrets, message string) {
	type body struct {
		XMLName xml.Name `json:"-" xml:"error_response"`
		Message string   `json:"error_msg" xml:"error_msg"`
	}
	whole := ""
	for _, decode := range []struct {
		marshal   func(any) ([]byte, error)
		unmarshal func([]byte, any) error
	}{{json.Marshal, json.Unmarshal}, {xml.Marshal, xml.Unmarshal}} {
		var b body
		text, err := decode.marshal(body{Message: message})
		if err != nil || decode.unmarshal(text, &b) != nil {
			continue // XML has no control characters
		}
		whole = string(text)
		secrets.Mask(text)
		if err := decode.unmarshal(text, &b); err != nil {
			t.Errorf("%q makes %q of %q: %v", secrets[0], text, whole, err)
		}
		if _, found := firstIn(b.Message, spellings(secrets[0], 2)); found && strings.Trim(secrets[0], `-<>"&]1`) != "" {
			t.Errorf("%q makes %q of %q", secrets[0], text, whole)
		}
	}
}

func isWellFormed(text []byte) bool {
	var v struct{ XMLName xml.Name }
	return xml.Unmarshal(text, &v) == nil
}

// FuzzText checks that the whole value of a secret parameter goes, whatever is
// in it, and nothing else.
func FuzzText(f *testing.F) {
	f.Add("X1")
	f.Add(`my "long" & <secret>\`)
	f.Add("%26a=b%2526\r\n")
	f.Add("%22&#34;<%3C")
	f.Fuzz(func(t *testing.T, value string) {
		Page(value)
		if value == "" || !utf8.ValidString(value) {
			return
		}
		query, twice := url.QueryEscape, func(text string) string { return url.QueryEscape(url.QueryEscape(text)) }
		for _, parts := range [][3]string{
			{"a=1&sig=", query(value), "&b=2"},
			{"u=" + query("http://x/?a=1&sig="), twice(value), query("&b=2") + "&c=3"},
			{`{"sig":"`, inJSON(value), `","z":"z"}`},
			{`<p>{&#34;sig&#34; : &#34;`, html.EscapeString(inJSON(value)), `&#34;,&#34;z&#34;:&#34;z&#34;}</p>`},
			{query(`{"a":"b", "sig":"`), query(inJSON(value)), query(`","z":"z"}`) + "&c=3"},
			{`{"u":"?sig=`, query(value), `\u0026b=2"}`},
			{"<sig>", html.EscapeString(value), "</sig>"},
		} {
			text, want := strings.Join(parts[:], ""), parts[0]+Mark+parts[2]
			got := Text(text)
			if strings.Contains(value, `\`) { // which hides the end of the value: more is replaced than has to be
				got, want = got[:min(len(got), len(parts[0]+Mark))], parts[0]+Mark
			}
			if got != want {
				t.Errorf("Text(%q) = %q", text, got)
			}
		}
	})
}
