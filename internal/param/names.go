// Package param parses, sorts and signs the parameters of an OK API call. It
// defines their names, and which of them are secret.
//
// It is written for speed, since every call pays for it: with url.ParseQuery, a
// sorted list of keys and url.Values.Encode, signing a call of five parameters
// takes ten times as long and 30 allocations. A [List] keeps the text of all
// parameters in one buffer that is used again, and refers to it by offsets.
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

// Names of secrets. They make signatures, and must not be sent to the API.
const (
	// SessionSecretKey is the name of the secret of a session: in the responses
	// that have one, and as an extra of an oauth2.Token.
	SessionSecretKey = "session_secret_key"

	applicationSecretKey = "application_secret_key"
	clientSecret         = "client_secret"
)

// Names is a set of those parameter names that a Signer treats specially.
type Names uint8

// The members of a set of Names.
const (
	IsApplicationKey Names = 1 << iota
	IsFormat
	IsMethod
	IsResig
	IsSig
	IsAccessToken
	IsSessionKey
	IsSecret // must not be sent

	IsSession = IsAccessToken | IsSessionKey // the session of a call
)

// nameOf returns which of the names key is, or 0. The conversion of key does not
// allocate.
func nameOf(key []byte) Names {
	switch string(key) {
	case ApplicationKey:
		return IsApplicationKey
	case Format:
		return IsFormat
	case Method:
		return IsMethod
	case Sig:
		return IsSig
	case Resig:
		return IsResig
	case AccessToken:
		return IsAccessToken
	case SessionKey:
		return IsSessionKey
	case applicationSecretKey, clientSecret, SessionSecretKey:
		return IsSecret
	}
	return 0
}
