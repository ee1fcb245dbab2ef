package oauth

// This file has the interfaces of grants, and checks the fields of those in this
// package. Each grant has a file of its own.

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/oauth2"
)

// A Grant obtains a session. Each call of Token performs one exchange with OK,
// or one login, and nothing is cached: [NewSource] returns a source that
// caches and renews.
//
// The grants of this package are [Code], [Refresh], [Implicit], [Password] and
// [Loopback]. Their methods are safe for concurrent use by multiple
// goroutines, and their errors contain no secret.
//
// A Grant of another package should end when its context ends. It may return
// an error that is [ErrSignIn], or an [oauth2.RetrieveError] with the error
// code invalid_grant, to report that no repetition can succeed; see [Source].
type Grant interface {
	// Token obtains a new session. It ends when ctx does.
	Token(ctx context.Context) (*oauth2.Token, error)
}

// A Renewer is a [Grant] that can renew a session, usually with the refresh
// token of the session. The session old may be expired or rejected. It must
// not be modified.
type Renewer interface {
	// Renew obtains the session that follows old. It ends when ctx does.
	Renew(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error)
}

// A field is a value that a program has set in a grant, and how it is checked.
type field struct {
	name, value string
	kind        fieldKind
}

// A fieldKind is how the value of a field is checked.
type fieldKind int

const (
	setting    fieldKind = iota // required; no white space around it
	optional                    // may be empty; no white space around it
	clientID                    // required; a number
	credential                  // like setting, but if only credentials are missing, the user must sign in
	typed                       // like credential, but only line breaks at the end are rejected: passwords may have spaces
)

// clientIDHint explains the most frequent mistake with a ClientID.
const clientIDHint = "ClientID must be the application's number (application id), not its key"

// checkFields returns an error that names each field that is missing or has a
// value that cannot be right. Keys from files and terminals often end with a
// line break, which OK would report as a wrong key.
func checkFields(grant string, fields ...field) error {
	var missing, spaced []string
	onlyCredentials := true
	for _, f := range fields {
		switch {
		case f.value == "" && f.kind != optional:
			missing = append(missing, f.name)
			onlyCredentials = onlyCredentials && (f.kind == credential || f.kind == typed)
		case f.isSpaced():
			spaced = append(spaced, f.name)
		case f.kind == clientID && strings.Trim(f.value, "0123456789") != "":
			return &failure{text: "okru: oauth." + grant + ": " + clientIDHint}
		}
	}
	switch {
	case spaced != nil:
		return &failure{text: fmt.Sprintf("okru: oauth.%s: remove the white space around %s", grant, strings.Join(spaced, " and "))}
	case missing == nil:
		return nil
	}
	f := &failure{text: fmt.Sprintf("okru: oauth.%s: set %s", grant, strings.Join(missing, " and "))}
	if onlyCredentials {
		f.causes = append(f.causes, ErrSignIn)
		f.text += "; the user must sign in"
	}
	return f
}

// isSpaced reports whether the value has white space where none is allowed.
func (f field) isSpaced() bool {
	if f.kind == typed {
		return strings.TrimRight(f.value, "\r\n") != f.value
	}
	return strings.TrimSpace(f.value) != f.value
}
