package transport

import (
	"net/http"
	"net/url"
	"strings"
)

// checkRetry asks [Retry.CheckRetry], for which errors are those of an
// http.Client: policies of retryablehttp look into the *url.Error.
func (t *retrier) checkRetry(a Attempt) (again bool, err error) {
	seen := a.Err
	if seen != nil {
		seen = &url.Error{Op: operation(a.Request.Method), URL: a.Request.URL.Redacted(), Err: seen}
	}
	again, err = t.settings.CheckRetry(a.Request.Context(), a.Response, seen)
	if u, ok := err.(*url.Error); ok { // the client above makes one again
		err = u.Err
	}
	return again, err
}

// operation returns method as net/http writes it in a *url.Error: "Get".
func operation(method string) string {
	if method == "" {
		method = http.MethodGet
	}
	return method[:1] + strings.ToLower(method[1:])
}
