package oauth

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/go-okru/okru/internal/param"
)

// VerifyLaunch reports whether OK itself opened an application's page with these
// launch parameters: it returns nil if auth_sig, and sig if there is one,
// prove that the session belongs to logged_user_id. Only then is that user
// signed in, and are session_key and session_secret_key fit for [Static].
//
// Only sig covers the other parameters, all of them. One that is there twice
// is refused: whoever reads the parameters might take the other. Never trust
// api_server.
//
// See https://apiok.ru/en/dev/app.
func VerifyLaunch(params url.Values, applicationSecret string) error {
	user, session := params.Get("logged_user_id"), params.Get(param.SessionKey)
	err := checkFields("VerifyLaunch", field{"applicationSecret", applicationSecret, setting}, field{"logged_user_id", user, setting},
		field{param.SessionKey, session, setting}, field{"auth_sig", params.Get("auth_sig"), setting})
	if err != nil {
		return err
	}
	if anyTwice(params) {
		return errLaunchTwice
	}
	if !equal(params.Get("auth_sig"), param.MD5(user+session+applicationSecret)) {
		return errLaunch
	}
	if params.Has(param.Sig) && !equal(params.Get(param.Sig), launchSum(params, applicationSecret)) {
		return errLaunch
	}
	if !params.Has(param.Sig) && ambiguous(user, session) {
		return errLaunch
	}
	return nil
}

// anyTwice reports whether a parameter has more than one value.
func anyTwice(params url.Values) bool {
	for _, values := range params {
		if len(values) > 1 {
			return true
		}
	}
	return false
}

// launchSum returns the sig that params should have. It is not computed like
// that of a call: it covers access_token and resig, too.
func launchSum(params url.Values, secret string) string {
	var text []byte
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name != param.Sig {
			text = append(text, name+"="+params.Get(name)...)
		}
	}
	return param.MD5(string(text) + secret)
}

// ambiguous reports whether user and session could be split at another place:
// auth_sig covers the two as one text, so that somebody whose id begins with
// another's could pass for him.
func ambiguous(user, session string) bool {
	const digits = "0123456789"
	return strings.Trim(user, digits) != "" || strings.ContainsRune(digits, rune(session[0]))
}

var (
	errLaunch = &failure{
		text: "okru: oauth.VerifyLaunch: a signature is wrong: the launch parameters are forged, or of another application",
	}
	errLaunchTwice = &failure{text: "okru: oauth.VerifyLaunch: a parameter is there twice"}
)
