// Package param knows the parameters of an OK API call: their names, how they
// travel in a query or a form, and which of them are secret.
package param

// Names of the parameters that every call may carry.
const (
	ApplicationKey = "application_key"
	Format         = "format"
	Method         = "method"
	Sig            = "sig"
	Resig          = "resig"
	AccessToken    = "access_token"
	SessionKey     = "session_key"
)

// SessionSecretKey names the session secret key: in the answers that hand one
// out, and as the extra of an oauth2.Token that carries it.
const SessionSecretKey = "session_secret_key"

// NeverSent lists the parameters that are secrets of ours alone: they make
// signatures and have no place in a request to the API.
var NeverSent = [...]string{"application_secret_key", "client_secret", SessionSecretKey}
