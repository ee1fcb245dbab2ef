package transport

// This file reports one attempt to the hooks of a Trace. Without a Trace it does
// nothing, and costs a comparison for each step.

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
)

// A tracer reports one attempt to the hooks of a Trace. A nil tracer reports
// nothing: there is no Trace.
type tracer struct {
	hooks   *hooks
	n       int         // the number of the attempt
	sent    DoneInfo    // what is known once the attempt is sent; N 0: it was not sent
	renewal RenewedInfo // of the session of the attempt; N 0: none that is to be reported
}

// newTracer returns the tracer of attempt number n, or of the number that a
// Retry above has set. o may be nil.
func newTracer(o *okcall.Options, n int) *tracer {
	if h := hooksOf(o); h != nil {
		return &tracer{hooks: h, n: max(n, o.Attempt)}
	}
	return nil
}

// attempt reports that r, the caller's request or a copy of it, is about to be
// sent as sent, whose body it closes if the hook panics.
func (t *tracer) attempt(hosts *okcall.Hosts, r, sent *http.Request, c Circuit) {
	if t != nil {
		t.reportAttempt(hosts, r, sent, c)
	}
}

// reportAttempt calls Attempt.
func (t *tracer) reportAttempt(hosts *okcall.Hosts, r, sent *http.Request, c Circuit) {
	if sent.Context().Err() != nil { // sendAttempt does not send it
		return
	}
	t.sent = DoneInfo{N: t.n, Circuit: c}
	if hosts.IsCall(r.URL) {
		t.sent.Method = okcall.MethodInURL(r.URL) // where the caller has put it first, nearly always
		if t.sent.Method == "" {
			t.sent.Method = Method(sent) // the form of r may have been read
		}
	}
	if t.hooks.Attempt == nil {
		return
	}
	info := AttemptInfo{
		N: t.n, Verb: cmp.Or(r.Method, http.MethodGet), Method: t.sent.Method, Circuit: c,
		URL: safeURL(hosts, r.URL, t.sent.Method),
	}
	closingOnPanic(sent.Body, func() { t.hooks.Attempt(info) })
}

// send reports that a Signer is about to send c, for the first time or, after a
// renewal, once more. If a hook panics it closes the body that would be sent.
func (t *tracer) send(hosts *okcall.Hosts, c *call) {
	if t != nil {
		t.reportSend(hosts, c)
	}
}

// reportSend calls Renewed or Attempt.
func (t *tracer) reportSend(hosts *okcall.Hosts, c *call) {
	signed := &c.signed
	switch {
	case signed.request.Context().Err() != nil: // sendAttempt does not send it
	case c.renewed:
		t.sent.Renewed = true
		closingOnPanic(signed.request.Body, func() { t.reportRenewal(true) })
	default:
		t.attempt(hosts, c.request, &signed.request, signed.keys.circuit())
	}
}

// rejected notes that the API has rejected the session of an attempt by resp, whose
// error is e, and that its source is asked to renew it.
func (t *tracer) rejected(resp *http.Response, e *okerrors.Error) {
	if t != nil {
		t.renewal = RenewedInfo{N: t.n, Status: resp.StatusCode, Code: e.Code, RejectedAt: time.Now()}
	}
}

// renewed notes that the source has returned a session or err.
func (t *tracer) renewed(err error) {
	if t != nil {
		t.renewal.Took, t.renewal.Err = time.Since(t.renewal.RejectedAt), err
	}
}

// reportRenewal calls Renewed once for each renewal, before what follows from
// it.
func (t *tracer) reportRenewal(repeated bool) {
	info := t.renewal
	t.renewal = RenewedInfo{}
	if t.hooks.Renewed != nil && info.N > 0 {
		info.Repeated = repeated
		t.hooks.Renewed(info)
	}
}

// done reports how the attempt has ended, unless it was not sent. If a hook
// panics, it closes the response.
func (t *tracer) done(resp *http.Response, v roundtrip.Verdict, err error) {
	if t != nil && t.sent.N > 0 {
		t.reportDone(resp, v, err)
	}
}

// reportDone calls Done.
func (t *tracer) reportDone(resp *http.Response, v roundtrip.Verdict, err error) {
	info := t.sent
	var body io.Closer
	if info.Err = err; resp != nil {
		info.Status, info.Err, body = resp.StatusCode, v.Err, resp.Body
	}
	if e, ok := errors.AsType[*okerrors.Error](info.Err); ok {
		info.Code, info.Status = e.Code, cmp.Or(info.Status, e.Status)
	}
	closingOnPanic(body, func() {
		t.reportRenewal(false)
		if t.hooks.Done != nil {
			t.hooks.Done(info)
		}
	})
}

// closingOnPanic calls f, and closes c if f panics or calls runtime.Goexit.
func closingOnPanic(c io.Closer, f func()) {
	returned := false
	defer func() {
		if !returned && c != nil {
			c.Close()
		}
	}()
	f()
	returned = true
}

// readable are the parameters whose values say nothing about a user.
// What is not in the list is hidden. New parameters of OK are therefore hidden,
// too.
const readable = " method format fields count anchor "

// safeURL returns what is not secret of u, the URL of a request for the API
// method.
func safeURL(hosts *okcall.Hosts, u *url.URL, method string) string {
	if u == nil {
		return ""
	}
	safe := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}
	switch hosts.KindOf(u) {
	case okcall.NoCall:
		return safe.String()
	case okcall.REST:
		safe.Path = u.Path
	case okcall.Graph: // whose path may have ids; its method does not
		safe.Path = "/" + method
	}
	safe.RawQuery = safeQuery(u.RawQuery)
	return safe.String()
}

// safeQuery returns query without the values of parameters that are not
// readable, and without what is no parameter.
func safeQuery(query string) string {
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, ok := strings.Cut(pair, "=")
		switch {
		case !ok || strings.ContainsFunc(name, isNoNameRune):
		case strings.Contains(readable, " "+name+" "):
			pairs = append(pairs, pair)
		default:
			pairs = append(pairs, name+"=REDACTED")
		}
	}
	return strings.Join(pairs, "&")
}

// isNoNameRune reports whether no name of a parameter has the rune.
func isNoNameRune(r rune) bool {
	return r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}
