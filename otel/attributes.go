package okotel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// attributes returns those of the metrics of an attempt, and those of its span.
func attributes(i transport.AttemptInfo) (ofMetric, ofSpan []attribute.KeyValue) {
	u, err := url.Parse(i.URL)
	if err != nil {
		u = new(url.URL)
	}
	ofMetric = []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(knownVerb(i.Verb)),
		semconv.ServerAddress(u.Hostname()),
		semconv.ServerPort(port(u)),
	}
	if t := template(i); t != "" {
		ofMetric = append(ofMetric, semconv.URLTemplate(t))
	}
	ofSpan = append(append(make([]attribute.KeyValue, 0, len(ofMetric)+3), ofMetric...), semconv.URLFull(i.URL))
	if knownVerb(i.Verb) != i.Verb {
		ofSpan = append(ofSpan, semconv.HTTPRequestMethodOriginal(i.Verb))
	}
	return ofMetric, ofSpan
}

// spanName returns the name of the span of an attempt.
func spanName(i transport.AttemptInfo) string {
	verb := knownVerb(i.Verb)
	if verb == "_OTHER" {
		verb = "HTTP"
	}
	return strings.TrimSuffix(verb+" "+template(i), " ")
}

// knownVerb returns verb, or _OTHER for one that the conventions do not know.
func knownVerb(verb string) string {
	switch verb {
	case "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE":
		return verb
	}
	return "_OTHER"
}

// template returns the url.template of an attempt: the path and the API
// method. It has no id of an object. It is "" for what is no call.
func template(i transport.AttemptInfo) string {
	switch group, name, _ := strings.Cut(i.Method, "."); {
	case i.Method == "" || strings.ContainsFunc(i.Method, isNoMethodRune):
		return ""
	case strings.HasPrefix(i.Method, "graph/"):
		return "/" + i.Method
	case strings.Contains(i.URL, "/fb.do"):
		return "/fb.do?method=" + i.Method
	default:
		return "/api/" + group + "/" + name
	}
}

// isNoMethodRune reports whether no API method has r, in a Graph call or not.
func isNoMethodRune(r rune) bool {
	return !strings.ContainsRune("._/{}", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

func port(u *url.URL) int {
	if n, err := strconv.Atoi(u.Port()); err == nil {
		return n
	}
	if u.Scheme == "http" {
		return 80
	}
	return 443
}

// codeOf returns the code of an API error, or 0.
func codeOf(err error) okerrors.Code {
	if e, ok := errors.AsType[*okerrors.Error](err); ok {
		return e.Code
	}
	return 0
}

// errorType returns the error.type of an outcome: few values, and never the
// text of an error. It is "" for a success.
func errorType(code okerrors.Code, status int, err error) string {
	switch {
	case code != 0:
		return "ok." + strconv.Itoa(int(code))
	case status >= 400:
		return strconv.Itoa(status)
	case err == nil:
		return ""
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, ratelimit.ErrLimited): // before the deadline that may be its reason
		return "limited"
	case isTimeout(err):
		return "timeout"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "dns"
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Sprintf("net.%s", e.Op)
	}
	return "_OTHER"
}

func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}
