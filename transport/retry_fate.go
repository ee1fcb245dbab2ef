package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/lookahead"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
)

// fate is what became of a request as far as the outcome tells. Of two, the
// greater one allows more repeats.
type fate int

const (
	settled     fate = iota // another attempt would end the same
	unknownOnce             // it may have run; one more attempt may help
	unknown                 // it may have run; more attempts may help
	notRun                  // it surely did not run
)

func (a Attempt) fate() fate {
	e, failed := a.apiError()
	switch {
	case a.Err != nil && !failed:
		return a.fateOfError()
	case failed && a.Err != nil: // a layer below turns answers into errors
		return fateOfCode(e.Code, fateOfNumber(e.Status, false))
	case failed:
		return fateOfCode(e.Code, fateOfStatus(a.Response))
	case a.Response != nil:
		return fateOfStatus(a.Response)
	}
	return settled
}

// apiError returns the API error that a ended with. It does not look into
// answers of other services, which may be streams that have yet to begin.
func (a Attempt) apiError() (*okerrors.Error, bool) {
	if a.Err == nil {
		if r := a.Request; r != nil && (r.URL == nil || !okcall.IsCall(r.URL)) && !lookahead.IsMarked(a.Response) {
			return nil, false
		}
		return okerrors.FromResponse(a.Response)
	}
	if isTerminal(a.Err) {
		return nil, false // of another call, such as one for a session
	}
	return errors.AsType[*okerrors.Error](a.Err)
}

func fateOfStatus(resp *http.Response) fate {
	if resp.StatusCode < http.StatusTooManyRequests {
		return settled
	}
	_, later := roundtrip.RetryAfter(resp.Header, time.Time{})
	return fateOfNumber(resp.StatusCode, later)
}

// fateOfNumber returns the fate by an HTTP status; later reports whether the
// answer says when to come back.
func fateOfNumber(status int, later bool) fate {
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && later:
		return notRun
	case status == http.StatusInternalServerError, status == http.StatusBadGateway,
		status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		return unknown
	}
	return settled
}

// fateOfCode returns the fate by an API code, in an answer with a status that
// means byStatus. What OK says about a call counts more than what stands
// between OK and us.
func fateOfCode(c okerrors.Code, byStatus fate) fate {
	switch c {
	case okerrors.CodeFloodBlocked:
		return notRun
	case okerrors.CodeService, okerrors.CodeNetworkTimeout:
		return max(byStatus, unknown)
	case okerrors.CodeUnknown, okerrors.CodeSystem:
		if byStatus == notRun {
			return notRun
		}
		return unknownOnce
	}
	if slices.ContainsFunc(lasting, c.Is) {
		return settled
	}
	return byStatus
}

// lasting are the classes of codes whose cause a repeat does not remove.
var lasting = []error{
	okerrors.ErrSession, okerrors.ErrPermission, okerrors.ErrThrottled, okerrors.ErrInvalid,
	okerrors.ErrNotFound, okerrors.ErrUserAction, okerrors.ErrRule,
}

func (a Attempt) fateOfError() fate {
	switch {
	case isTerminal(a.Err), a.isOver(), isCertificate(a.Err):
		return settled
	case isUnsent(a.Err):
		return notRun
	}
	return unknown
}

// isOver reports whether the error is the end of a context, be it that of the
// request or one that a layer below set.
func (a Attempt) isOver() bool {
	if a.Request != nil && a.Request.Context().Err() != nil {
		return true
	}
	return errors.Is(a.Err, context.Canceled) || wraps(a.Err, context.DeadlineExceeded)
}

// wraps is errors.Is without the method Is, by which the timeouts of package
// net, of dialing as well, and net/http pass for context.DeadlineExceeded.
func wraps(err, target error) bool {
	if err == target {
		return true
	}
	switch w := err.(type) {
	case *scrubbedError:
		return wraps(w.cause(), target)
	case interface{ Unwrap() error }:
		return wraps(w.Unwrap(), target)
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(w.Unwrap(), func(err error) bool { return wraps(err, target) })
	}
	return false
}

// isTerminal reports whether err says that it is final.
func isTerminal(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Terminal() bool
	}](err)
	return ok && t.Terminal()
}

// isUnsent reports whether err came before the request was sent. A failed TLS
// handshake is not recognized: after it, a server may still say why it refuses
// a client that has already sent its request.
func isUnsent(err error) bool {
	switch op, ok := errors.AsType[*net.OpError](err); {
	case has[*net.DNSError](err), ok && slices.Contains(connecting, op.Op):
		return true
	case ok:
		return false // a refusal, too: a UDP socket may tell of it late
	}
	return isRefused(err)
}

// connecting are the operations of package net that send no request yet.
var connecting = []string{"dial", "proxyconnect", "socks connect"}

// isCertificate reports whether err refuses a server's certificate.
func isCertificate(err error) bool {
	return has[*tls.CertificateVerificationError](err) || has[x509.UnknownAuthorityError](err) ||
		has[x509.HostnameError](err) || has[x509.CertificateInvalidError](err) ||
		has[x509.SystemRootsError](err) || has[x509.UnhandledCriticalExtension](err) ||
		has[x509.InsecureAlgorithmError](err) || has[x509.ConstraintViolationError](err)
}

func has[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
