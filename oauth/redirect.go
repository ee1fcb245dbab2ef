package oauth

import (
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/param"
)

// ParseRedirect reads the URL that OK redirected the user to: a code for
// [Code], from its query, or the session of the implicit flow, from its
// fragment. rawURL may lack everything before the query, as the URL of a
// request to a server does.
//
// state must be what was sent; any other fails with [ErrState], and so does a
// missing one, unless state is empty. If OK reports an error instead, as when
// the user says no, it is an [*oauth2.RetrieveError]; access_denied is
// [ErrDenied] and [ErrSignIn].
func ParseRedirect(rawURL, state string) (code string, token *oauth2.Token, err error) {
	f, err := parseRedirect(rawURL)
	if err != nil {
		return "", nil, err
	}
	failed := f.text("error") != ""
	if !sameState(f, state, failed) {
		return "", nil, errState
	}
	if failed {
		return "", nil, redirectFailure(f)
	}
	code, token = f.text("code"), f.token(param.AccessToken)
	if code == "" && token == nil {
		return "", nil, errNothing
	}
	return code, token, nil
}

var (
	errState = &failure{
		text: "okru: redirect: its state differs from what was sent; it may be forged, so start the sign-in again",
		is:   []error{ErrState},
	}
	errNothing = &failure{text: "okru: redirect: it has neither a code nor an access_token"}
	errEscape  = &failure{text: "okru: redirect: a parameter has a bad percent-escape"}
	errTwice   = &failure{text: "okru: redirect: a parameter is there twice"}
)

// sameState reports whether the redirect answers the request that had state. A
// reported error may come without any: it cannot be mistaken for a sign-in.
func sameState(f fields, state string, failed bool) bool {
	got := f.text("state")
	return failed && got == "" || same(got, state)
}

func redirectFailure(f fields) error {
	secrets := f.secrets()
	e := retrieveError(http.StatusFound)
	e.ErrorCode = secrets.cleanCode(f.text("error"))
	e.ErrorDescription = secrets.clean(f.text("error_description"))
	return said(e, "redirect")
}

// parseRedirect collects the parameters of a URL, from query and fragment:
// in which of the two OK puts an error depends on the flow and on the device.
func parseRedirect(rawURL string) (fields, error) {
	rest, fragment, _ := strings.Cut(rawURL, "#")
	_, query, _ := strings.Cut(rest, "?")
	f := make(fields)
	for _, part := range [...]string{query, fragment} {
		if err := f.add(part); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// add adds the parameters in text. One that comes twice is refused, as RFC
// 6749, section 3.1 wants it: which of the two would count?
func (f fields) add(text string) error {
	// OK joins permissions by a semicolon, which net/url takes for a mistake.
	values, err := url.ParseQuery(strings.ReplaceAll(text, ";", "%3B"))
	if err != nil { // whose text quotes the parameter
		return errEscape
	}
	for name, list := range values {
		if _, twice := f[name]; twice || len(list) > 1 {
			return errTwice
		}
		f[name] = list[0]
	}
	return nil
}
