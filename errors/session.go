package okerrors

// This file decides whether an error rejects the session of its call. OK has codes
// for that, and also sends code 100, which is the code of any wrong parameter,
// with a message that names the session.

import (
	"slices"
	"strings"
	"unicode"

	"github.com/go-okru/okru/internal/param"
)

// SessionRejected reports whether the API rejected the session of the call, so
// that a new session may help. That is so for
//
//   - every code of class [ErrSession]: 102, 103 and 107;
//   - code 100, [CodeParam], if Field is a session parameter (session_key or
//     access_token) or Message says that one is missing or invalid. A message
//     that offers something else instead, such as "Either session_key or uid
//     must be specified", is about the parameters of the call, and the session
//     is valid.
func (e *Error) SessionRejected() bool {
	if e.Code != CodeParam {
		return e.Code.Is(ErrSession)
	}
	text := " " + strings.Join(sessionWords(e.Message), " ") + " "
	return !containsAny(text, choices) && (isSession(e.Field) || containsAny(text, rejections))
}

// NewSession returns the keys of the session that replaces the one of the
// call, which the API sends with [CodeParamSessionKeyChanged]: the access
// token, and the session secret key or "" if none came. If ok is false the
// response had no session.
func (e *Error) NewSession() (key, secret string, ok bool) {
	if e.session == nil {
		return "", "", false
	}
	key, secret = e.session()
	return key, secret, true
}

// rejections are the messages of code 100 that reject a session, as words: see
// sessionWords. OK's messages about any parameter are "Missed required
// parameter: access_token", "Missing required parameter uids" and "Invalid
// parameter counterTypes value : [x]".
var rejections = []string{
	" missed required parameter session_key ",
	" missing required parameter session_key ",
	" missing parameter session_key ",
	" missing session_key ",
	" no session_key ",
	" invalid parameter session_key ",
	" invalid value of parameter session_key ",
	" invalid session_key ",
	" not valid session_key ",
	" session_key is missing ",
	" session_key is invalid ",
	" session_key is not valid ",
	" session_key is required ",
	" session_key does not exist ",
	" session_key must be specified ",
	" session_key must not be empty ",
	" session_key has wrong format ",
}

// choices are what messages have that offer something else instead of a
// session, or make it a condition: they are about the parameters of the call.
var choices = []string{
	" or session_key ", " session_key or ", " if session_key ", " with session_key ", " without session_key ",
}

// sessionWords returns the words of message in lower case. Both session
// parameters become session_key, and an "or" between two of them is dropped. A
// comma becomes "or".
func sessionWords(message string) []string {
	var words []string
	message = strings.ReplaceAll(strings.ToLower(message), ",", " or ")
	for word := range strings.FieldsFuncSeq(message, isSeparator) {
		if word == param.AccessToken {
			word = param.SessionKey
		}
		n := len(words)
		if word == param.SessionKey && n >= 2 && words[n-1] == "or" && words[n-2] == word {
			words = words[:n-1]
		}
		words = append(words, word)
	}
	return words
}

// isSeparator reports whether r is between two words of a message.
func isSeparator(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// containsAny reports whether text contains one of parts.
func containsAny(text string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}

// isSession reports whether name is that of a session parameter, in any case.
func isSession(name string) bool {
	return strings.EqualFold(name, param.SessionKey) || strings.EqualFold(name, param.AccessToken)
}
