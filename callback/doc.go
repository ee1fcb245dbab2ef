// Package callback handles what OK sends to a program: the launch parameters
// of an application, payments and webhooks.
//
//   - [VerifyLaunch] checks the parameters with which OK opens the page of an
//     application.
//   - [Payments] is an [net/http.Handler] for callbacks.payment, with which OK
//     asks a game or a shop to book a payment.
//   - [Webhook] is an [net/http.Handler] for the events of applications and of
//     group bots.
//   - [Verify] checks the signature of any other callback that is signed like
//     callbacks.payment.
//
// Signatures are compared in constant time. Duplicate parameters are rejected:
// the code that checks a signature and the code that uses a parameter might
// read different values.
//
// Nothing in this package prints a secret: not package fmt, not encoding/json,
// not log/slog, not an error. A value in an unexported field of another struct
// is the exception: package fmt then prints the fields without the methods of
// their type.
package callback
