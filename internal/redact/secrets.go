package redact

import (
	"net/url"
	"strings"
)

// Secrets are values that no text may show.
type Secrets []string

// minSecret is the length below which a secret would be found in any text.
const minSecret = 6

// words are those of OK's messages that are long enough to be taken for a
// secret. A test, or somebody in a hurry, may have a token "expired"; to find
// it in "Session expired" would tell more about it than to leave it there, and
// the message would no longer be what OK said.
const words = " access access_token application application_key application_secret application_secret_key authorization blocked " +
	"client client_secret denied expired failed granted illegal incorrect invalid malformed method missed missing " +
	"parameter parameters password permission refresh_token request required revoked secret server service session " +
	"session_key session_secret session_secret_key signature specified system unknown "

// Clean returns text with a mark in the place of each secret.
func (s Secrets) Clean(text string) string { return s.replacer().Replace(text) }

// In tells whether text shows a secret.
func (s Secrets) In(text string) bool { return s.Clean(text) != text }

// replacer replaces secrets, also as they appear in queries and in JSON.
func (s Secrets) replacer() *strings.Replacer {
	var pairs []string
	for _, secret := range s {
		if len(secret) < minSecret || strings.Contains(words, " "+secret+" ") {
			continue
		}
		for _, spelling := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), strings.ReplaceAll(secret, "/", `\/`)} {
			pairs = append(pairs, spelling, Mark)
		}
	}
	return strings.NewReplacer(pairs...)
}
