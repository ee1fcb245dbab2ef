package okerrors

import (
	"strings"

	"github.com/go-okru/okru/internal/param"
)

// SessionRefused reports whether the API refused the session of the call, so
// that a new session may help. That is so for
//
//   - every code of class [ErrSession]: 102, 103 and 107;
//   - code 100, [CodeParam], if Field is a session parameter (session_key or
//     access_token) or Message says that one is missing or invalid. A message
//     that offers something else instead, such as "Either session_key or uid
//     must be specified", is about the parameters of the call, and the session
//     is good.
func (e *Error) SessionRefused() bool {
	if e.Code != CodeParam {
		return e.Code.Is(ErrSession)
	}
	text := plainly(e.Message)
	if choice.MatchString(text) {
		return false
	}
	return isSession(e.Field) || faultBefore.MatchString(text) || faultAfter.MatchString(text)
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

func isSession(name string) bool {
	return strings.EqualFold(name, param.SessionKey) || strings.EqualFold(name, param.AccessToken)
}
