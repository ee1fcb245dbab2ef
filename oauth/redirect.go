package oauth

// This file reads the URL that OK redirects a user to after the sign-in. It is
// what an attacker can forge, hence its checks.

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/token"
)

// ParseRedirect reads the URL that OK redirected the user to. It returns the
// code for [Code], from the query, or the session of the implicit flow, from
// the fragment. rawURL may begin with the path or the query, as the URL of a
// request to a server does. White space around rawURL, as a terminal or a file
// adds it, is ignored.
//
// state must be the one that was sent. A different one fails with [ErrState],
// and so does a missing one unless state is empty. If OK reports an error, for
// example because the user denied access, the error is an
// [*oauth2.RetrieveError]; access_denied also is [ErrDenied] and [ErrSignIn].
//
// A parameter of OK that occurs twice is an error. Other parameters, which
// belong to the redirect URI itself, are not checked.
func ParseRedirect(rawURL, state string) (code string, token *oauth2.Token, err error) {
	f, err := parseRedirect(strings.TrimFunc(rawURL, isSpaceOrMark))
	if err != nil {
		return "", nil, err
	}
	failed := f.text("error") != ""
	// An error may come without a state: it cannot be mistaken for a sign-in.
	if !equal(f.text("state"), state) && !(failed && f.text("state") == "") {
		return "", nil, errState
	}
	if failed {
		return "", nil, redirectFailure(f)
	}
	code, token = f.text("code"), f.token(param.AccessToken)
	if code == "" && token == nil {
		return "", nil, errNoResult
	}
	return code, token, nil
}

var (
	errState = &failure{
		text:   "okru: redirect: its state differs from the one sent; it may be forged: start the sign-in again",
		causes: []error{ErrState},
	}
	errNoResult  = &failure{text: "okru: redirect: it has neither a code nor an access_token"}
	errEscape    = &failure{text: "okru: redirect: a parameter has an invalid percent-escape"}
	errDuplicate = &failure{text: "okru: redirect: duplicate parameter"}
)

// equal compares in constant time.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// isSpaceOrMark reports whether r is white space or a byte order mark, with
// which some editors begin a file.
func isSpaceOrMark(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' }

// redirectFailure returns the failure for an error that OK reports by a
// redirect.
func redirectFailure(f fields) error {
	secrets := f.secrets()
	e := token.NewRetrieveError(http.StatusFound)
	e.ErrorCode = cleanCode(f.text("error"), secrets)
	e.ErrorDescription = cleanText(f.text("error_description"), secrets)
	return oauthFailure(e, "redirect")
}

// parseRedirect returns the parameters of a URL, from query and fragment.
// Which of the two contains an error depends on the flow and on the device.
func parseRedirect(rawURL string) (fields, error) {
	rest, fragment, _ := strings.Cut(rawURL, "#")
	_, query, _ := strings.Cut(rest, "?")
	f := make(fields)
	for _, part := range [...]string{query, fragment} {
		for pair := range strings.SplitSeq(part, "&") {
			if err := f.addPair(pair); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

// redirectParams are the parameters that OK adds to a redirect URI. Each must
// be unique, as RFC 6749, section 3.1, requires: otherwise a reader of the
// other value would come to another result.
var redirectParams = []string{
	"code", "state", "error", "error_description", param.AccessToken, "refresh_token", param.SessionKey,
	param.SessionSecretKey, "expires_in", "token_type", "permissions_granted",
}

// addPair adds one name=value. Of other parameters than those of OK, the first
// value counts and invalid ones are ignored. A raw semicolon is a part of the
// value: OK separates permissions by it.
func (f fields) addPair(pair string) error {
	rawName, rawValue, _ := strings.Cut(pair, "=")
	name, nameErr := url.QueryUnescape(rawName)
	value, valueErr := url.QueryUnescape(rawValue)
	_, seen := f[name]
	switch {
	case !slices.Contains(redirectParams, name):
		if !seen && name != "" && nameErr == nil && valueErr == nil {
			f[name] = value
		}
	case valueErr != nil: // its text would quote the value
		return errEscape
	case seen:
		return errDuplicate
	default:
		f[name] = value
	}
	return nil
}
