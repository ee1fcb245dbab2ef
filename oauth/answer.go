package oauth

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
)

// An answer is what an endpoint or a page of OK said, read to its end.
type answer struct {
	*http.Response // whose Body can be read again
	body           []byte
	fields         fields // nil: not a JSON object
}

// ok reports whether a says success, so far as HTTP goes.
func (a *answer) ok() bool { return a.StatusCode/100 == 2 }

// token returns the session in a, whose access token is called key. An error
// may come with status 200.
func (a *answer) token(key, place string, secrets secrets) (*oauth2.Token, error) {
	if a.ok() && a.fields.text("error") == "" {
		if t := a.fields.token(key); t != nil {
			return t, nil
		}
	}
	return nil, a.failure(place, secrets)
}

// failure returns what is wrong with a, which should have brought a session
// and did not. The failure is an *oauth2.RetrieveError in any case.
func (a *answer) failure(place string, secrets secrets) error {
	secrets = append(a.fields.secrets(), secrets...)
	if e, ok := okerrors.FromResponse(a.Response); ok {
		return apiFailure(e, secrets, retrieveError(a.StatusCode))
	}
	e := retrieveError(a.StatusCode)
	e.ErrorCode = secrets.cleanCode(a.fields.text("error"))
	e.ErrorDescription = secrets.clean(a.fields.text("error_description"))
	if e.ErrorCode != "" {
		return said(e, place)
	}
	return &failure{text: "okru: " + place + ": " + a.complaint(), is: []error{e}}
}

// said returns the failure that e names by its error code.
func said(e *oauth2.RetrieveError, place string) error {
	f := &failure{text: "okru: " + place + ": " + e.ErrorCode, is: []error{e}}
	if e.ErrorDescription != "" {
		f.text += " (" + e.ErrorDescription + ")"
	}
	if e.ErrorCode == "access_denied" {
		f.is = append(f.is, ErrDenied)
	}
	if hopelessCode(e.ErrorCode) {
		f.is = append(f.is, ErrSignIn)
		f.text += "; a human must sign in again"
	}
	return f
}

// complaint says in words what is wrong with an answer that names no error.
func (a *answer) complaint() string {
	switch status := statusText(a.StatusCode); {
	case a.StatusCode/100 == 3:
		return "it answers with a redirect, which is not followed: " + status
	case !a.ok():
		return "it answers " + status
	case len(a.body) == 0:
		return "the answer is empty"
	case a.fields != nil:
		return "there is no session in the answer"
	case strings.Contains(a.Header.Get("Content-Type"), "html"):
		return "the answer is an HTML page"
	}
	return fmt.Sprintf("the answer is not a JSON object (%d bytes)", len(a.body))
}

// retrieveError returns an error that carries the status of an answer and
// nothing else of it. The body stays out: Error prints it whole if the server
// named no error, and it may echo what was sent.
func retrieveError(status int) *oauth2.RetrieveError {
	return &oauth2.RetrieveError{Response: &http.Response{
		StatusCode: status,
		Status:     statusText(status),
		Body:       http.NoBody,
	}}
}

// statusText makes a status line of our own: a server may write into its what
// it likes.
func statusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}
