package transport

// This file has the ways to sign a call. signer_keys.go decides which one a call
// is on.

import (
	"fmt"
)

// A Circuit is a way to sign calls: with or without a session, and with which
// secret. See https://apiok.ru/en/dev/methods, "Request signing".
type Circuit int

const (
	// Auto takes the circuit from what there is. With a session, an application
	// secret means ServerServer, else a session secret key means ClientServer.
	// Without one, an application secret means Sessionless. Anything else is an
	// error that says what is missing.
	Auto Circuit = iota

	// ServerServer signs with MD5(access_token + application secret key).
	ServerServer

	// ClientServer signs with the session secret key, which the token carries
	// as its extra session_secret_key.
	ClientServer

	// Sessionless signs with the application secret key and sends no session.
	Sessionless

	// Unsigned sends neither session nor signature, only application_key and
	// format, for the few methods that want it so.
	Unsigned
)

// circuitNames are the names of the constants, by their value.
var circuitNames = [...]string{"Auto", "ServerServer", "ClientServer", "Sessionless", "Unsigned"}

// Valid reports whether c is one of the constants.
func (c Circuit) Valid() bool { return c >= 0 && int(c) < len(circuitNames) }

// String returns the name of the constant.
func (c Circuit) String() string {
	if !c.Valid() {
		return fmt.Sprintf("Circuit(%d)", int(c))
	}
	return circuitNames[c]
}
