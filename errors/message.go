package okerrors

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-okru/okru/internal/redact"
)

// maxText bounds the text of a message in print. OK's own are far shorter;
// what is longer is a page or a dump.
const maxText = 512

// unnamed stands for the name of a code that neither this package nor the
// message knows.
const unnamed = "CODE"

// prefix matches what stands before the text in "NAME : text".
var prefix = regexp.MustCompile(`^\s*([A-Z][A-Z0-9_]{1,63})\s*(?::|$)`)

// split returns OK's name of the error and the text of the message without
// that name, ready to print. The name of a code that is not known is the one
// in the message.
func (e *Error) split() (name, text string) {
	name, text = e.Code.name(), e.Message
	if m := prefix.FindStringSubmatch(text); m != nil && (name == "" || name == m[1]) {
		name, text = m[1], text[len(m[0]):]
	}
	if name == "" {
		name = unnamed
	}
	return name, printable(text)
}

// printable returns text as one line of bounded length, without the values of
// secret parameters: for text of a server, which may say anything.
func printable(text string) string {
	text = strings.TrimSpace(strings.Map(blank, redact.Text(text)))
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// blank turns what would break a line or hide text into a space.
func blank(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return ' '
}
