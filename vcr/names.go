package okvcr

import (
	"regexp"
	"strings"

	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/redact"
)

// families match the names of secrets: access_token, refresh_token, sdkToken,
// apiToken, fr.token; application_secret_key, client_secret; session_key; tkn
// of a picture's URL; sig, auth_sig, st.signature. The URL of a verification page identifies its user.
var families = regexp.MustCompile(`(?i)token|secret|passw(?:or)?d|session_?key|csrf|^tkn$|^auth_hash$|` +
	`(?:^|[._-])(?:re)?sig(?:nature)?$|^ver_redirect_url$|^verification_url$`)

// public are the names of these families that are not secret.
var public = map[string]bool{"token_type": true, "gen_token": true}

// isSecret reports whether a parameter of this name is a secret: one that the
// other packages redact, or one of the families.
func isSecret(name string) bool {
	if public[strings.ToLower(name)] {
		return false
	}
	return families.MatchString(name) || redact.SecretName(name)
}

// isSecretField reports whether a field of JSON or XML is a secret. A code is
// an authorization code only in parameters.
func isSecretField(name string) bool { return isSecret(name) && !strings.EqualFold(name, "code") }

// isOwn reports whether a parameter identifies the caller and not the call, so
// that it may differ on replay.
func isOwn(name string) bool {
	return name == param.ApplicationKey || name == "client_id" || isSecret(name)
}
