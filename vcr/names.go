package okvcr

import (
	"regexp"
	"strings"

	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/redact"
)

// families are what the names of secrets have in common: access_token,
// refresh_token, sdkToken, apiToken, fr.token; application_secret_key,
// client_secret; session_key; tkn of a picture's URL; sig, auth_sig,
// st.signature. Check pages are addressed to one user.
var families = regexp.MustCompile(`(?i)token|secret|passw(?:or)?d|session_?key|csrf|^tkn$|^auth_hash$|` +
	`(?:^|[._-])(?:re)?sig(?:nature)?$|^ver_redirect_url$|^verification_url$`)

// public are the names in a family that say nothing.
var public = map[string]bool{"token_type": true, "gen_token": true}

// isSecret reports whether a parameter of this name is a secret. It knows
// whatever the other packages do, and more.
func isSecret(name string) bool {
	if public[strings.ToLower(name)] {
		return false
	}
	probe := name + "=x"
	return families.MatchString(name) || redact.Text(probe) != probe
}

// isSecretField tells the same of a field of JSON or XML. A code is only an
// authorization code where parameters are.
func isSecretField(name string) bool { return isSecret(name) && !strings.EqualFold(name, "code") }

// isOwn reports whether a parameter says who calls and not what is called, so
// that a replay may have another one.
func isOwn(name string) bool {
	return name == param.ApplicationKey || name == "client_id" || isSecret(name)
}
