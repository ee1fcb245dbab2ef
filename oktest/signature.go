package oktest

import (
	"crypto/md5"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// This file and the next one know the signature of OK on their own: a check
// that shared code with a signer would share its faults.

// notSigned are the parameters that no signature covers.
var notSigned = map[string]bool{"sig": true, "resig": true, "access_token": true}

// signedNames returns the names of the parameters that are signed, in order.
func signedNames(params url.Values) []string {
	names := slices.Sorted(maps.Keys(params))
	return slices.DeleteFunc(names, func(name string) bool { return notSigned[name] })
}

// signedText returns name=value of every name, one after the other.
func signedText(params url.Values, names []string) string {
	var text strings.Builder
	for _, name := range names {
		text.WriteString(name + "=" + params.Get(name))
	}
	return text.String()
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// signingSecret is a secret that a call may be signed with.
type signingSecret struct {
	circuit string // of [Call]
	name    string // for people
	value   string
}

// secretsOf returns the secrets that are right for a call with this session,
// or without one.
func (s *Server) secretsOf(session *session) []signingSecret {
	if session == nil {
		return []signingSecret{{"sessionless", "application_secret_key", s.app.Secret}}
	}
	secrets := []signingSecret{{"server", "MD5(access_token + application_secret_key)", md5Hex(session.token + s.app.Secret)}}
	if session.secret != "" {
		secrets = append(secrets, signingSecret{"client", "session_secret_key", session.secret})
	}
	return secrets
}

// circuitOf returns the circuit whose secret made the signature of params, or
// "" if none did.
func (s *Server) circuitOf(params url.Values, session *session) string {
	if !params.Has("sig") {
		return "unsigned"
	}
	text := signedText(params, signedNames(params))
	for _, secret := range s.secretsOf(session) {
		if md5Hex(text+secret.value) == params.Get("sig") {
			return secret.circuit
		}
	}
	return ""
}

// wrongSignature explains what was expected. It tells neither a secret nor the
// signature that would have been right.
func (s *Server) wrongSignature(params url.Values, session *session) string {
	var tried []string
	for _, secret := range s.secretsOf(session) {
		tried = append(tried, secret.name)
	}
	text := "Invalid signature: expected the MD5 of the raw values of " +
		strings.Join(signedNames(params), ", ") + ", in this order, followed by " + strings.Join(tried, " or ")
	if hint := s.mistake(params, session); hint != "" {
		text += "; it matches if " + hint
	}
	return text
}
