package transport

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/token"
)

// noSession returns the error of a call whose token source failed with err.
func noSession(ctx context.Context, err error) error {
	if !strings.HasPrefix(err.Error(), "okru: ") { // else it says enough, and no secret
		err = fmt.Errorf("okru: no session: %w", withoutSecrets(err))
	}
	if errors.Is(err, token.ErrSignIn) {
		err = &signInError{source: err}
	}
	return withContext(ctx, err)
}

// withoutSecrets returns an error of a foreign token source, or one that stands
// for it if its text is not fit to be seen: that of x/oauth2 can be a whole
// page, with all that was sent.
func withoutSecrets(err error) error {
	text := err.Error()
	re, ok := errors.AsType[*oauth2.RetrieveError](err)
	if ok {
		text = strings.ReplaceAll(text, re.Error(), retrieval(re))
	}
	if text = redact.Text(text); text == err.Error() {
		return err
	}
	return standIn(text, err)
}

// retrieval tells a failed token request by what cannot be a secret.
func retrieval(re *oauth2.RetrieveError) string {
	text := "oauth2: cannot fetch token"
	if re.Response != nil {
		text += fmt.Sprintf(": status %d", re.Response.StatusCode)
	}
	if re.ErrorCode != "" {
		text += ": " + redact.Page(re.ErrorCode)
	}
	return text
}
