// Package transport holds the layers that turn plain net/http requests into
// calls of the OK.ru API: [Signer] adds the session and the signature, [Group]
// the token of a group's bot to calls of the Graph API, and [Retry] repeats what
// is safe to repeat.
//
// A layer is a struct of settings whose method Wrap is a [Middleware]; [Chain]
// stacks them. Every RoundTripper made here keeps the contract of
// [http.RoundTripper]: it never changes the caller's request, always closes
// its body, returns a response or an error, sets the response's Request to the
// request it was given, and ends with the request's context. It offers
// Unwrap() http.RoundTripper and passes CloseIdleConnections on.
package transport
