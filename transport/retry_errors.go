package transport

// This file decides what an error of the transport means: whether the request was
// sent, and whether a repeat can help. It goes by the types of errors where
// net/http has types, and by the texts where it has none;
// TestPermanentErrorsAreFinal gets those from net/http itself.

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-okru/okru/internal/roundtrip"
)

// ErrBudget reports that [Retry] would have repeated a request if the retry
// budget of this client had not been spent. The error that matches ErrBudget
// wraps the error of the transport as well, and is final for layers above.
var ErrBudget = errors.New("okru: not repeated, the retry budget of this client is spent")

// A notRepeatedError is an error of the transport after which the policy wanted
// a repeat, and the reason why there was none.
type notRepeatedError struct{ cause, reason error }

func (e *notRepeatedError) Error() string   { return e.reason.Error() + ": " + e.cause.Error() }
func (e *notRepeatedError) Unwrap() []error { return []error{e.reason, e.cause} }

// Terminal returns true: layers above must not repeat the request either.
func (e *notRepeatedError) Terminal() bool { return true }

// Timeout reports whether the cause is a timeout; [net/url.Error] calls it.
func (e *notRepeatedError) Timeout() bool { return roundtrip.IsTimeout(e.cause) }

// isCanceled reports whether err is the cancellation of a context. A deadline
// is not: the one of the caller is known from its context, and any other is
// that of one attempt.
func isCanceled(err error) bool { return errors.Is(err, context.Canceled) }

// isUnsent reports whether err proves that a request was not sent. body is the
// state of its body after err. A body that was read proves the opposite, and
// err can then be an error of the body itself, or of a later hop of a client
// below that follows redirects. A client, which is known by its *url.Error, can
// have followed one of a request without a body, too.
//
// A failed TLS handshake is not among the errors: after it, a server may still
// say why it rejects a client that has already sent its request.
func isUnsent(err error, body bodyState) bool {
	if e, ok := errors.AsType[*attemptError](err); ok {
		return !e.sent
	}
	switch {
	case body == bodyRead, body == bodyNone && has[*url.Error](err):
		return false
	case isConnecting(err):
		return true
	case body == bodyUnread:
		return isProxyStatus(err, func(int) bool { return true })
	}
	return false
}

// isConnecting reports whether err is an error of dialing, name lookup or a
// proxy.
func isConnecting(err error) bool {
	switch op, ok := errors.AsType[*net.OpError](err); {
	case has[*net.DNSError](err):
		return true
	case ok: // ECONNREFUSED among them, but not that of a UDP socket, which reports it in a read
		return slices.Contains(connecting, op.Op)
	}
	return isConnectionRefused(err)
}

// connecting are the operations of package net that precede a request.
var connecting = []string{"dial", "proxyconnect", "socks connect"}

// isPermanent reports whether no repeat can fix err.
func isPermanent(err error) bool {
	return isCertificate(err) || has[tls.RecordHeaderError](err) || // not a TLS server
		has[*net.AddrError](err) || // such as an invalid port
		isProxyStatus(err, func(status int) bool { return status < 500 && !slices.Contains(temporaryStatuses, status) }) ||
		slices.ContainsFunc(permanentTexts, func(text string) bool { return strings.Contains(err.Error(), text) })
}

// permanentTexts are in the errors without a type by which net/http and
// x/net/proxy reject a request, in the version that go.mod names.
var permanentTexts = []string{
	"net/http: invalid ",          // header, trailer or method
	"unsupported protocol scheme", // neither http nor https
	"http: no Host in request URL",
	"http: nil Request.",
	"http: ContentLength=", // a body of another length
	"http: Request.ContentLength=",
	`malformed HTTP response "\x15\x03`, // the alert of a TLS server
	"username/password authentication failed",
	"no acceptable authentication methods",
}

// temporaryStatuses are those below 500 by which a proxy asks to come back.
var temporaryStatuses = []int{http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests}

// isProxyStatus reports whether err is the rejection of a CONNECT by a proxy, with a
// status for which ok returns true. Of such a response http.Transport returns
// the text of the status alone.
func isProxyStatus(err error, ok func(status int) bool) bool {
	// The innermost error is the one of http.Transport: errors.New of the text
	// after the status code of the response to CONNECT.
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	text := err.Error()
	for status := 400; status < 600; status++ {
		if name := http.StatusText(status); name != "" && strings.EqualFold(name, text) {
			return ok(status)
		}
	}
	return false
}

// isCertificate reports whether err rejects the certificate of a server.
func isCertificate(err error) bool {
	return has[*tls.CertificateVerificationError](err) || has[x509.UnknownAuthorityError](err) ||
		has[x509.HostnameError](err) || has[x509.CertificateInvalidError](err) ||
		has[x509.SystemRootsError](err) || has[x509.UnhandledCriticalExtension](err) ||
		has[x509.InsecureAlgorithmError](err) || has[x509.ConstraintViolationError](err)
}

// has reports whether err is an E, or wraps one.
func has[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
