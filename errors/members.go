package okerrors

// This file has what the parsers of JSON, XML and text have in common: the members of
// an error.

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/redact"
)

// memberPrefixes are what the names of an error's members begin with.
var memberPrefixes = [...]string{
	"error", "custom_error", "ver_redirect_url", "verification_url", param.SessionKey, param.SessionSecretKey,
}

// memberLetters are what memberPrefixes begin with, each of them, and any key that is
// escaped.
const memberLetters = `ecvs\`

// isMember reports whether an error may have a member of that name.
func isMember(name string) bool {
	return strings.HasPrefix(name, memberPrefixes[0]) || slices.Contains(memberPrefixes[1:], name)
}

// members are the members of an error by name. Their values are JSON, also
// those of an error in XML.
type members map[string]json.RawMessage

// code returns the error_code, or 0 if there is none. Only an integer is one:
// a string or a fraction may be data of a success.
func (m members) code() (code Code) {
	if !m.decode("error_code", &code) {
		return 0
	}
	return code
}

// decode fills v with the value of a member. It reports whether there is one that
// fits.
func (m members) decode(name string, v any) bool {
	value, ok := m[name]
	return ok && json.Unmarshal(value, v) == nil
}

// describe sets the fields of e that m has, but for the code. Message and
// Field lose the values of secret parameters here, since package fmt prints
// the fields of an Error where it cannot call its methods.
func (m members) describe(e *Error) {
	e.Message = redact.Text(cmp.Or(m.text("error_msg"), m.text("error"), m.page()))
	e.Field = redact.Text(m.text("error_field"))
	e.URL = cmp.Or(m.text("ver_redirect_url"), m.text("verification_url"))
	e.Data, e.Custom = m["error_data"], m["custom_error"]
	if key, secret := m.text(param.SessionKey), m.text(param.SessionSecretKey); key != "" {
		e.session = func() (string, string) { return key, secret }
	}
}

// text returns the value of a string. A session key or secret of digits alone
// might come as a number, which is returned as it was written.
func (m members) text(name string) string {
	if m[name] == nil {
		return "" // nearly always
	}
	var s string
	if m.decode(name, &s) {
		return s
	}
	var n json.Number
	m.decode(name, &n)
	return n.String()
}

// page returns the message of an error_page, which is meant for the user.
func (m members) page() string {
	var page struct {
		Message struct {
			Plain string `json:"plain"`
		} `json:"message"`
	}
	m.decode("error_page", &page)
	return page.Message.Plain
}

// textMembers returns the members of an error in plain text, such as
// "3:METHOD : Method x.y not found"; nil if the text is none. The code is that
// of the header. If it is 0, the text must have the name of its code.
func textMembers(in *bufio.Reader, code Code) members {
	if first, _ := in.Peek(1); len(first) == 0 || first[0] < '1' || first[0] > '9' {
		return nil // reads no further
	}
	all, _ := io.ReadAll(in)
	number, message, _ := strings.Cut(strings.ToValidUTF8(string(all), string(utf8.RuneError)), ":")
	n, err := strconv.Atoi(number)
	switch {
	case err != nil, code != 0 && Code(n) != code:
		return nil
	case code == 0 && !strings.HasPrefix(message, cmp.Or(Code(n).name(), unnamed)+" : "):
		return nil
	}
	value, _ := json.Marshal(strings.TrimSpace(message))
	return members{"error_code": json.RawMessage(number), "error_msg": value}
}
