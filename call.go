package okru

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/roundtrip"
)

// Call calls an API method, such as "users.getInfo", and decodes the answer
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
// An empty answer leaves T zero, as null does.
//
// An API error is an [okerrors.Error], to be found by errors.As or
// errors.AsType, even if c leaves it in the answer. An answer that is neither
// JSON nor an API error, or has a status other than 2xx, is an *[AnswerError].
// A wrong method name or a nil client is an error before anything is sent.
func Call[T any](ctx context.Context, c *http.Client, method string, params url.Values) (T, error) {
	var result T
	r, err := newCall(ctx, c, method, params)
	if err != nil {
		return result, err
	}
	resp, err := c.Do(r)
	if err != nil {
		return result, err
	}
	defer resp.Body.Close()
	if err := decode(resp, r, method, &result); err != nil {
		roundtrip.Discard(resp)
		return *new(T), err
	}
	return result, nil // and the answer was read to its end
}

// endpoint returns the URL that c sends calls to. See
// https://apiok.ru/en/dev/methods.
func endpoint(c *http.Client) string {
	hosts := roundtrip.HostsBelow(c.Transport)
	if hosts == nil {
		hosts = okcall.Default
	}
	return hosts.Endpoint() + "/fb.do"
}

// methodName is what a method's name looks like: group.name.
var methodName = regexp.MustCompile(`^[A-Za-z0-9]+(\.[A-Za-z0-9]+)+$`)

func newCall(ctx context.Context, c *http.Client, method string, params url.Values) (*http.Request, error) {
	if c == nil {
		return nil, errors.New("okru: Call: the client is nil; make one by NewClient")
	}
	if !methodName.MatchString(method) {
		return nil, fmt.Errorf("okru: Call: %q is no method; a method is named group.name, such as users.getInfo", method)
	}
	if m, ok := params[param.Method]; ok && (len(m) != 1 || m[0] != method) {
		return nil, errors.New("okru: Call: params has another method; leave it out")
	}
	form := params.Encode()
	if !params.Has(param.Method) {
		form = strings.TrimSuffix(param.Method+"="+url.QueryEscape(method)+"&"+form, "&")
	}
	if ctx != nil { // else NewRequest says what is wrong
		ctx = okcall.With(ctx, func(v *okcall.Options) { v.Caller = new(okcall.Caller) })
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint(c), strings.NewReader(form))
	if err != nil {
		return nil, fmt.Errorf("okru: Call: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	return r, nil
}
