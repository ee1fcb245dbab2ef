package transport

// This file applies a configured client of go-retryablehttp to a Retry, and shows
// its functions substitutes for the request and the response: they may print what
// they get.

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/go-okru/okru/internal/okcall"
)

// Check returns what is wrong with r, or nil. The layer fails every request
// with it.
func (r Retry) Check() error {
	if r.Client == nil || r.Client.Logger == nil {
		return nil
	}
	switch r.Client.Logger.(type) {
	case retryablehttp.Logger, retryablehttp.LeveledLogger:
		if v := reflect.ValueOf(r.Client.Logger); v.Kind() != reflect.Pointer || !v.IsNil() {
			return nil
		}
		return fmt.Errorf("okru: Retry.Client.Logger is a nil %T; set it to nil itself for no log", r.Client.Logger)
	}
	return fmt.Errorf("okru: Retry.Client.Logger is a %T; use a retryablehttp.Logger, such as a *log.Logger, or a retryablehttp.LeveledLogger", r.Client.Logger)
}

// applyClient sets what is zero in r to what its Client has, and copies to log
// what r has no field for.
func (r *Retry) applyClient(log *clientHooks) {
	c := r.Client
	if c == nil {
		return
	}
	zero := func(d int) int { return cmp.Or(d, -1) } // of the client; in a Retry that means the default
	r.Max = cmp.Or(r.Max, zero(c.RetryMax))
	r.MinDelay = cmp.Or(r.MinDelay, time.Duration(zero(int(c.RetryWaitMin))))
	r.MaxDelay = cmp.Or(r.MaxDelay, time.Duration(zero(int(c.RetryWaitMax))))
	if r.Backoff == nil {
		r.Backoff = c.Backoff
	}
	*log = clientHooks{c.CheckRetry, c.Logger, c.RequestLogHook, c.ResponseLogHook}
}

// clientHooks are the functions of a Retry.Client for which Retry has no field.
type clientHooks struct {
	CheckRetry      retryablehttp.CheckRetry // decides unless a field of Retry does; nil: Retryable does
	Logger          any                      // checked by Retry.Check
	RequestLogHook  retryablehttp.RequestLogHook
	ResponseLogHook retryablehttp.ResponseLogHook
}

// checkRetry calls check, for which errors are those of an http.Client:
// policies of retryablehttp look into the *url.Error.
func checkRetry(check retryablehttp.CheckRetry, a Attempt) (again bool, err error) {
	seen := a.Err
	if seen != nil {
		verb := cmp.Or(a.Request.Method, http.MethodGet)
		seen = &url.Error{Op: verb[:1] + strings.ToLower(verb[1:]), URL: a.Request.URL.Redacted(), Err: seen}
	}
	again, err = check(a.Request.Context(), a.Response, seen)
	if u, ok := err.(*url.Error); ok { // the client above makes one again
		err = u.Err
	}
	return again, err
}

// substituteRequest returns what the library and its log see of r: the verb and,
// of the URL, what cannot be secret.
func substituteRequest(hosts *okcall.Hosts, r *http.Request) *http.Request {
	u := new(url.URL)
	if r.URL != nil {
		u.Scheme, u.Host = r.URL.Scheme, r.URL.Host
	}
	switch hosts.KindOf(r.URL) { // the path of another request, such as an upload, may be secret
	case okcall.Graph:
		u.Path = "/" + okcall.Method(r) // without ids
	case okcall.REST:
		u.Path = r.URL.Path
		if method := okcall.Method(r); u.Path == "/fb.do" && method != "" {
			u.RawQuery = "method=" + url.QueryEscape(method)
		}
	}
	s := &http.Request{Method: cmp.Or(r.Method, http.MethodGet), URL: u, Host: u.Host, Header: http.Header{}}
	return s.WithContext(r.Context())
}

// copyRequest returns hook with a copy of the request, so that nothing it does
// to the request has an effect.
func copyRequest(hook retryablehttp.RequestLogHook) retryablehttp.RequestLogHook {
	if hook == nil {
		return nil
	}
	return func(log retryablehttp.Logger, r *http.Request, n int) { hook(log, r.Clone(r.Context()), n) }
}

// substituteResponse returns what the library and its log see of resp: status
// and header. It has no Location, which http.Client would follow.
func substituteResponse(substitute *http.Request, resp *http.Response) *http.Response {
	h := resp.Header.Clone()
	h.Del("Location")
	return &http.Response{
		Status: resp.Status, StatusCode: resp.StatusCode,
		Proto: resp.Proto, ProtoMajor: resp.ProtoMajor, ProtoMinor: resp.ProtoMinor,
		Header: h, Body: http.NoBody, Request: substitute,
	}
}
