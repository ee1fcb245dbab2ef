package okerrors

import (
	"regexp"
	"strings"

	"github.com/go-okru/okru/internal/param"
)

// What messages of code 100 look like: "Missed required parameter:
// access_token", "Invalid parameter session_key value : [x]". Only words that
// connect the fault to the session parameter may stand between the two, lest
// "Invalid uid for this session_key" cost a good session.
const (
	sessionParameter = `\b(?:` + param.SessionKey + `|` + param.AccessToken + `)\b`

	fault = `(?:miss(?:ed|ing)|invalid|wrong|incorrect|bad|malformed|illegal|` +
		`expired|revoked|unknown|empty|absent|blank|null)`

	link = `(?:[\s:'"\[(),]|\b(?:required|request|mandatory|parameters?|params?|` +
		`arguments?|fields?|values?|of|for|the|is|are|was|has|been|or|and)\b)*`

	given   = `(?:specified|set|found|given|provided|present|sent)`
	missing = `(?:required|must be ` + given + `|(?:does not|doesn't) exist|` +
		`(?:not|must not|cannot|can not|can't|may not|should not)(?: be)? (?:valid|empty|null|blank|missing|` + given + `))`
)

var (
	faultBefore = regexp.MustCompile(`(?i)\b(?:` + fault + `|no|not valid)\b` + link + sessionParameter)
	faultAfter  = regexp.MustCompile(`(?i)` + sessionParameter + link + `\b(?:` + fault + `|` + missing + `)\b`)

	// choice matches a message in which something else would do as well, or
	// the session is a condition.
	choice = regexp.MustCompile(`(?i)\beither\b.*\bor\b|\bone of\b.*(?:,|\band\b|\bor\b)|` +
		`\bor\s+` + sessionParameter + `|` + sessionParameter + `\W*\bor\b|` +
		`\b(?:if|when|unless|with|without)\s+(?:an? |the |no )?` + sessionParameter)

	quoted = regexp.MustCompile(`\[[^\]]*\]|\B'[^']*'|\B"[^"]*"|=\S+`)

	// both matches the session parameters side by side, perhaps at the end of
	// a longer list.
	both = regexp.MustCompile(`(?i)(?:,\s*)?` + sessionParameter + `(?:(?:\s|,|/|\bor\b|\band\b)+` + sessionParameter + `)+`)
)

// plainly returns message without the values that it quotes, and with one
// session parameter where it has both: to offer these two is no choice.
func plainly(message string) string {
	message = quoted.ReplaceAllStringFunc(message, func(text string) string {
		if name := strings.Trim(text, `[]'"`); isSession(name) {
			return name
		}
		return ""
	})
	return both.ReplaceAllStringFunc(message, func(text string) string {
		if strings.HasPrefix(text, ",") {
			return " or " + param.SessionKey
		}
		return param.SessionKey
	})
}
