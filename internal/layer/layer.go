// Package layer holds what every RoundTripper of this module has in common.
package layer

import "net/http"

// Base is the RoundTripper below a layer. A layer embeds it and is thereby
// transparent for what is asked of the whole stack.
type Base struct{ Next http.RoundTripper }

// On returns the Base over next; nil means http.DefaultTransport.
func On(next http.RoundTripper) Base {
	if next == nil {
		next = http.DefaultTransport
	}
	return Base{Next: next}
}

// Unwrap returns the RoundTripper below, as errors.Unwrap does for errors.
func (b Base) Unwrap() http.RoundTripper { return b.Next }

// CloseIdleConnections passes the call of http.Client.CloseIdleConnections
// on: net/http asks only the outermost RoundTripper.
func (b Base) CloseIdleConnections() {
	if c, ok := b.Next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
