package oauth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/oauth2"
)

// A Grant obtains a session: each call of Token is one exchange with OK, or
// one login, and nothing is remembered. [NewSource] makes of it a source that
// caches and renews.
//
// The grants of this package are [Code], [Refresh], [Implicit], [Password] and
// [Loopback]. Their methods are safe for concurrent use by multiple
// goroutines, and their errors carry no secret. A Grant of your own may return
// an error that is [ErrSignIn], or an [oauth2.RetrieveError] with error code
// invalid_grant, to say that trying again is of no use; see [Source].
type Grant interface {
	Token(ctx context.Context) (*oauth2.Token, error)
}

// A Renewer is a [Grant] that can do better than to start over once it has a
// session, by means of old: its refresh token, as a rule. The session in old
// may be expired or refused; old itself must not be modified.
type Renewer interface {
	Renew(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error)
}

// A field is a setting that a grant cannot do without.
type field struct{ name, value string }

// require returns an error that names all fields that are empty.
func require(grant string, fields ...field) error {
	var empty []string
	for _, f := range fields {
		if f.value == "" {
			empty = append(empty, f.name)
		}
	}
	if empty == nil {
		return nil
	}
	return &failure{text: fmt.Sprintf("okru: oauth.%s: set %s", grant, strings.Join(empty, " and ")), is: []error{errEmpty}}
}

var errEmpty = errors.New("okru: a required field is empty")
