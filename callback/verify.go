package callback

// This file verifies what OK has signed. The two signatures differ from that of an
// API call, which is in package param.

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Errors of [Verify] and [VerifyLaunch], to be used with [errors.Is]. An error
// that is neither of them is a mistake of the program, such as an empty
// application secret.
var (
	// ErrForged reports that a signature is wrong or a parameter is duplicate:
	// the parameters do not come from OK, belong to another application, or
	// were changed on the way.
	ErrForged = errors.New("okru: callback: forged parameters")

	// ErrIncomplete reports that a parameter is missing without which nothing
	// is proven.
	ErrIncomplete = errors.New("okru: callback: incomplete parameters")
)

// Names of parameters.
const (
	sigName        = "sig"
	authSigName    = "auth_sig"
	userName       = "logged_user_id"
	sessionKeyName = "session_key"
)

// Verify reports whether OK signed params with the secret of the application:
// it returns nil if sig is right. sig covers all other parameters, known or
// not: the MD5 of every key=value, sorted by key and joined without separators,
// followed by the secret. This is not the signature of an API call, which does
// not cover access_token and resig; see transport.Signature.
//
// The error is [ErrForged] if sig is wrong or a parameter is duplicate, and
// [ErrIncomplete] if sig is missing. Verify is a pure function.
//
// Use it for callbacks that [Payments] and [Webhook] do not handle. See
// https://apiok.ru/en/dev/methods/rest/callbacks/callbacks.payment.
func Verify(params url.Values, applicationSecret string) error {
	if err := errors.Join(checkSecret(applicationSecret), checkUnique(params)); err != nil {
		return err
	}
	if err := require(params, sigName); err != nil {
		return err
	}
	if !equal(params.Get(sigName), signatureOf(params, applicationSecret)) {
		return fmt.Errorf("%w: sig is wrong", ErrForged)
	}
	return nil
}

// VerifyLaunch reports whether OK itself opened the page of an application
// with these launch parameters: it returns nil if auth_sig, and sig if there is
// one, prove that the session belongs to logged_user_id. Only then is that user
// signed in, and session_key and session_secret_key can be passed to
// oauth.Static.
//
// Pass all parameters that OK sent, with sig. auth_sig alone covers the user and
// the session, as one text without a separator. It does not show a digit that
// was moved from one to the other, which matters only if a session key begins
// with a digit; those of OK do not, as far as is known. Without sig, parameters
// whose session key begins with a digit, or whose user id is not a number, are
// [ErrIncomplete]. Other errors are [ErrForged] if a signature is wrong or a
// parameter is duplicate, and ErrIncomplete if a parameter is missing.
//
// Do not trust api_server, even in parameters that are authentic.
// VerifyLaunch is a pure function. See https://apiok.ru/en/dev/app.
func VerifyLaunch(params url.Values, applicationSecret string) error {
	if err := errors.Join(checkSecret(applicationSecret), checkUnique(params)); err != nil {
		return err
	}
	if err := require(params, userName, sessionKeyName, authSigName); err != nil {
		return err
	}
	user, session := params.Get(userName), params.Get(sessionKeyName)
	if !equal(params.Get(authSigName), md5Hex(user+session+applicationSecret)) {
		return fmt.Errorf("%w: auth_sig is wrong", ErrForged)
	}
	switch {
	case params.Has(sigName) && !equal(params.Get(sigName), signatureOf(params, applicationSecret)):
		return fmt.Errorf("%w: sig is wrong", ErrForged)
	case !params.Has(sigName) && isAmbiguous(user, session):
		return fmt.Errorf("%w: sig is missing, and auth_sig alone does not prove where %s ends; pass all launch parameters", ErrIncomplete, userName)
	}
	return nil
}

// isAmbiguous reports whether the end of user, which should have digits only,
// could be a part of session that was moved, or the other way round.
func isAmbiguous(user, session string) bool {
	const digits = "0123456789"
	return strings.Trim(user, digits) != "" || strings.ContainsRune(digits, rune(session[0]))
}

// checkSecret returns an error if the application secret cannot be right.
func checkSecret(secret string) error {
	switch {
	case secret == "":
		return errors.New("okru: callback: the application secret is empty; set it to the secret key of the application")
	case strings.TrimSpace(secret) != secret:
		return errors.New("okru: callback: the application secret begins or ends with white space; remove it")
	}
	return nil
}

// checkUnique returns an error that names a parameter with several values.
func checkUnique(params url.Values) error {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if len(params[name]) > 1 {
			return fmt.Errorf("%w: duplicate parameter %.40q", ErrForged, name)
		}
	}
	return nil
}

// require returns an error that names the parameters that are missing or empty.
func require(params url.Values, names ...string) error {
	missing := slices.DeleteFunc(names, func(name string) bool { return params.Get(name) != "" })
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s missing", ErrIncomplete, strings.Join(missing, ", "))
}

// signatureOf returns the sig that params should have.
func signatureOf(params url.Values, secret string) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name != sigName {
			text.WriteString(name + "=" + params.Get(name))
		}
	}
	return md5Hex(text.String() + secret)
}

// md5Hex returns the lower-case hexadecimal MD5 of text.
func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// equal reports whether a and b are equal, in a time that does not depend on where
// they differ: the time would help to guess a signature.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
