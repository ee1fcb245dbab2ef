package okerrors

import (
	"regexp"

	"github.com/go-okru/okru/internal/param"
)

// SessionRefused tells whether the API refused the session of the call, so
// that a new session may help. That is so for
//
//   - every code of class [ErrSession]: 102, 103 and 107;
//   - code 100, [CodeParam], if Field is a session parameter (session_key or
//     access_token) or Message says that one is missing or invalid. A message
//     that offers a choice, such as "Either session_key or uid must be
//     specified", is about the parameters of the call, and the session is
//     good.
func (e *Error) SessionRefused() bool {
	if e.Code != CodeParam {
		return e.Code.Is(ErrSession)
	}
	if choice.MatchString(e.Message) {
		return false
	}
	return e.Field == param.SessionKey || e.Field == param.AccessToken ||
		faultBefore.MatchString(e.Message) || faultAfter.MatchString(e.Message)
}

// Is makes errors.Is(e, ErrSession) true whenever e.SessionRefused is. For
// code 100 about a session, [ErrInvalid] stays true as well, since that is the
// class of the code.
func (e *Error) Is(target error) bool {
	return target == ErrSession && e.SessionRefused()
}

// NewSession returns the keys of the session that replaces the one of the
// call, which the API sends with [CodeParamSessionKeyChanged]: the access
// token, and the session secret key or "" if none came. If ok is false the
// answer brought no session.
func (e *Error) NewSession() (key, secret string, ok bool) {
	if e.session == nil {
		return "", "", false
	}
	key, secret = e.session()
	return key, secret, true
}

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
	missing = `(?:required|must be ` + given + `|` +
		`(?:not|must not|cannot|can not|can't|may not|should not)(?: be)? (?:valid|empty|null|blank|missing|` + given + `))`
)

var (
	choice      = regexp.MustCompile(`(?i)\beither\b|\bor ` + sessionParameter + ` must\b`)
	faultBefore = regexp.MustCompile(`(?i)\b(?:` + fault + `|no)\b` + link + sessionParameter)
	faultAfter  = regexp.MustCompile(`(?i)` + sessionParameter + link + `\b(?:` + fault + `|` + missing + `)\b`)
)
