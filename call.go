package okru

// This file sends one call and returns its result. Call and Graph differ in the
// request that they make, here and in graph.go; both send it by call.do, decode
// the response by response.go, and return the same errors.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/roundtrip"
)

// Call calls an API method, such as "users.getInfo", and decodes the response
// into a T. It sends params and method as the form of a POST, with Accept:
// application/json, by c, which is usually a client of this package. It does
// not modify params.
//
// The call goes to the first of [Config.Hosts], over http if that is a loopback
// host. Call finds Hosts through the methods Unwrap() http.RoundTripper of the
// transport of c and what is below it. Without a Signer there, the call goes to
// api.ok.ru.
//
// T is any type that encoding/json can fill. Numbers that go into an interface
// become a json.Number, since ids of OK have more digits than a float64 holds.
// An empty response leaves T zero, as null does. A response of more than 16 MiB
// is an error.
//
// The text of every error begins with "okru: METHOD: ". An API error is an
// [okerrors.Error], to be found by errors.As or errors.AsType, even if c leaves
// it in the response. A response that is neither JSON nor an API error, or has a
// status other than 2xx, is an *[AnswerError]. If a write failed that may have
// run, errors.Is finds okerrors.ErrOutcomeUnknown. A wrong method name or a nil
// client is an error before anything is sent.
func Call[T any](ctx context.Context, c *http.Client, method string, params url.Values) (T, error) {
	call, err := newCall(ctx, c, method, params)
	return send[T](c, call, err)
}

// send sends c by client and returns the decoded response. err is the error with
// which c was made, if it was not.
func send[T any](client *http.Client, c *call, err error) (T, error) {
	var result T
	if err == nil {
		err = c.do(client, &result)
	}
	if err != nil {
		return *new(T), err // and not what was decoded until then
	}
	return result, nil
}

// A call is one Call or Graph.
type call struct {
	request *http.Request // as it is sent, but for what the layers add
	method  string        // for errors; of a Graph call, its path without ids
	isWrite bool          // it is not known to be safe to repeat
	caller  okcall.Caller // what the layers report; it is in the context of the request
}

// do sends the call by c and decodes the response into result.
func (c *call) do(client *http.Client, result any) error {
	resp, err := client.Do(c.request)
	if err != nil {
		return c.transportError(err)
	}
	defer resp.Body.Close()
	if err := c.decode(resp, result); err != nil {
		roundtrip.Discard(resp)
		return c.withOutcome(err)
	}
	return nil // and the response was read to its end
}

// redact returns text without the secrets of the call.
func (c *call) redact(text string) string { return c.caller.Redact(text) }

// transportError returns err of client.Do, which is an *url.Error, as the error
// of the call.
func (c *call) transportError(err error) error {
	cause := err
	if u, ok := err.(*url.Error); ok {
		cause = u.Err
	}
	if e, ok := cause.(*okerrors.Error); ok && e.Method == c.method {
		return c.withOutcome(e)
	}
	// A Signer or a Group has found out by the request body whether an error means
	// that the call may have run. Without one below, only the type of the error is
	// left.
	unknown := false
	if !c.caller.IsSigned() { // no layer of ours has judged the error
		unknown = c.isWrite && !isConnecting(err)
	}
	return c.withOutcome(&callError{c.method, cause, unknown})
}

// withOutcome returns err, of a call of which an attempt may have run, as an
// error that is okerrors.ErrOutcomeUnknown.
func (c *call) withOutcome(err error) error {
	if !c.caller.MayHaveRun() || errors.Is(err, okerrors.ErrOutcomeUnknown) {
		return err
	}
	return &callError{c.method, err, true}
}

// isConnecting reports whether err came before a request was sent, as far as
// its type shows that.
func isConnecting(err error) bool {
	_, lookup := errors.AsType[*net.DNSError](err)
	op, ok := errors.AsType[*net.OpError](err)
	return lookup || ok && (op.Op == "dial" || op.Op == "proxyconnect") || roundtrip.IsTerminal(err)
}

// A callError is an error of a Call without a response, or about one that broke
// off. Its text begins with the API method.
type callError struct {
	method  string
	err     error
	unknown bool // the call may have run
}

func (e *callError) Error() string {
	text := strings.TrimPrefix(e.err.Error(), "okru: ")
	return "okru: " + e.method + ": " + strings.TrimPrefix(text, e.method+": ")
}

func (e *callError) Unwrap() error        { return e.err }
func (e *callError) Is(target error) bool { return e.unknown && target == okerrors.ErrOutcomeUnknown }

// Timeout reports whether the cause is a timeout, as net.Error does.
func (e *callError) Timeout() bool { return roundtrip.IsTimeout(e.err) }

// endpoint returns the URL of the host that c sends calls to, without a path.
// See https://apiok.ru/en/dev/methods.
func endpoint(c *http.Client) string {
	return roundtrip.HostsOrDefault(c.Transport).Endpoint()
}

// isMethodName reports whether name looks like that of a method: group.name.
func isMethodName(name string) bool {
	isOther := func(c rune) bool { return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') }
	for part := range strings.SplitSeq(name, ".") {
		if part == "" || strings.ContainsFunc(part, isOther) {
			return false
		}
	}
	return strings.Contains(name, ".")
}

// newCall checks what Call is given, and makes its request. The method comes
// first in the form, where a proxy or a log that cuts a long form still has it.
func newCall(ctx context.Context, c *http.Client, method string, params url.Values) (*call, error) {
	if !isMethodName(method) {
		return nil, fmt.Errorf("okru: Call: %q is not a method; a method is named group.name, such as users.getInfo", method)
	}
	if c == nil {
		return nil, fmt.Errorf("okru: %s: the client is nil; make one by NewClient", method)
	}
	if m, ok := params[param.Method]; ok && (len(m) != 1 || m[0] != method) {
		return nil, fmt.Errorf("okru: %s: params has another method; leave it out", method)
	}
	form := params.Encode()
	if !params.Has(param.Method) {
		form = strings.TrimSuffix(param.Method+"="+url.QueryEscape(method)+"&"+form, "&")
	}
	return newCallTo(ctx, method, http.MethodPost, endpoint(c)+"/fb.do", "application/x-www-form-urlencoded", strings.NewReader(form))
}

// newCallTo returns the call of method that sends body, of this media type, to
// address; a nil body: none.
func newCallTo(ctx context.Context, method, verb, address, kind string, body io.Reader) (*call, error) {
	c := &call{method: method}
	if ctx != nil { // else NewRequest says what is wrong
		ctx = okcall.With(ctx, func(v *okcall.Options) { v.Caller = &c.caller })
	}
	r, err := http.NewRequestWithContext(ctx, verb, address, body)
	if err != nil {
		return nil, fmt.Errorf("okru: %s: %w", method, err)
	}
	if body != nil {
		r.Header.Set("Content-Type", kind)
	}
	r.Header.Set("Accept", "application/json")
	choice, _ := okcall.MayRepeat(r)
	isSafe := choice == okcall.Yes || choice == okcall.Unset && okcall.ReadsOnly(method)
	c.request, c.isWrite = r, !isSafe
	return c, nil
}
