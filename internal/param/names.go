// Package param knows the parameters of an OK API call: their names, how they
// travel in a query or a form, and which of them are secret.
package param

import "slices"

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

// Names is a set of the names that mean something to whoever signs a call.
type Names uint8

// The names, by what is done about them.
const (
	IsApplicationKey Names = 1 << iota
	IsFormat
	IsMethod
	IsResig
	IsSig
	IsAccessToken
	IsSessionKey
	IsSecret // one of NeverSent

	IsSession = IsAccessToken | IsSessionKey // the session of a call
)

// The first eight bytes of the names, as a number: most parameters are told to
// be none of them by comparing those.
const (
	sigPrefix      = 's'<<56 | 'i'<<48 | 'g'<<40
	resigPrefix    = 'r'<<56 | 'e'<<48 | 's'<<40 | 'i'<<32 | 'g'<<24
	formatPrefix   = 'f'<<56 | 'o'<<48 | 'r'<<40 | 'm'<<32 | 'a'<<24 | 't'<<16
	methodPrefix   = 'm'<<56 | 'e'<<48 | 't'<<40 | 'h'<<32 | 'o'<<24 | 'd'<<16
	applicatPrefix = 'a'<<56 | 'p'<<48 | 'p'<<40 | 'l'<<32 | 'i'<<24 | 'c'<<16 | 'a'<<8 | 't'
	accessTPrefix  = 'a'<<56 | 'c'<<48 | 'c'<<40 | 'e'<<32 | 's'<<24 | 's'<<16 | '_'<<8 | 't'
	clientSPrefix  = 'c'<<56 | 'l'<<48 | 'i'<<40 | 'e'<<32 | 'n'<<24 | 't'<<16 | '_'<<8 | 's'
	sessionPrefix  = 's'<<56 | 'e'<<48 | 's'<<40 | 's'<<32 | 'i'<<24 | 'o'<<16 | 'n'<<8 | '_'
)

// nameOf tells which name key is, which begins with prefix. Of a name shorter
// than a prefix, that and the length are all there is to know.
func nameOf(prefix uint64, key []byte) Names {
	switch prefix {
	case methodPrefix:
		return only(IsMethod, len(key) == len(Method))
	case formatPrefix:
		return only(IsFormat, len(key) == len(Format))
	case sigPrefix:
		return only(IsSig, len(key) == len(Sig))
	case resigPrefix:
		return only(IsResig, len(key) == len(Resig))
	case accessTPrefix, applicatPrefix, clientSPrefix, sessionPrefix:
		return longName(string(key))
	}
	return 0
}

func only(name Names, is bool) Names {
	if is {
		return name
	}
	return 0
}

func longName(key string) Names {
	switch {
	case key == ApplicationKey:
		return IsApplicationKey
	case key == AccessToken:
		return IsAccessToken
	case key == SessionKey:
		return IsSessionKey
	case slices.Contains(NeverSent[:], key):
		return IsSecret
	}
	return 0
}
