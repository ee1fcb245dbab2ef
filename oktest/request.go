package oktest

import (
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	okerrors "github.com/go-okru/okru/errors"
)

// The hosts of OK that a Server stands for.
const (
	apiHost     = "api.ok.ru"
	connectHost = "connect.ok.ru"
	photoHost   = "up.mycdn.me"
	videoHost   = "vu.okcdn.ru"
)

var realHosts = []string{apiHost, connectHost, photoHost, videoHost}

// serve answers a request that came over a connection or in process.
func (s *Server) serve(r *http.Request) response {
	host, path := hostOf(r), r.URL.Path
	real := isReal(r)
	on := func(name string) bool { return !real || host == name }
	switch {
	case on(apiHost) && (path == "/fb.do" || strings.HasPrefix(path, "/api/")):
		return only(r, s.serveAPI, http.MethodGet, http.MethodPost)
	case on(apiHost) && strings.HasPrefix(path, "/graph/"):
		return only(r, s.serveGraph, http.MethodGet, http.MethodPost)
	case on(apiHost) && path == "/oauth/token.do":
		return only(r, s.serveToken, http.MethodPost)
	case on(photoHost) && path == photoPath:
		return only(r, s.servePhotoUpload, http.MethodPost)
	case on(videoHost) && path == videoPath:
		return only(r, s.serveVideoUpload, http.MethodGet, http.MethodPost)
	case on(apiHost) && path == "/blank.html":
		return response{}.with(htmlType, "<!DOCTYPE html>\n<html lang=\"en\"><head><title>OK</title></head><body></body></html>\n")
	case on(connectHost) && path == "/oauth/authorize":
		return only(r, s.serveAuthorize, http.MethodGet)
	case on(connectHost) && path == "/dk":
		return only(r, s.serveLogin, http.MethodGet, http.MethodPost)
	}
	return response{status: http.StatusNotFound}.with(textType, "oktest: OK has no "+path+" on "+host+"\n")
}

// only answers by serve if the method of r is one of methods.
func only(r *http.Request, serve func(*http.Request) response, methods ...string) response {
	for _, m := range methods {
		if r.Method == m {
			return serve(r)
		}
	}
	a := response{status: http.StatusMethodNotAllowed}.with(textType, "oktest: this takes "+strings.Join(methods, " and ")+"\n")
	a.header.Set("Allow", strings.Join(methods, ", "))
	return a
}

// hostOf returns the host that r was sent to, without the port.
func hostOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return host
	}
	return r.Host
}

// isReal reports whether r was sent to a host of OK, and thus by https.
func isReal(r *http.Request) bool {
	host := hostOf(r)
	return slices.Contains(realHosts, host)
}

// baseOf returns the URL of s as the client that sent r sees it, without a
// slash at the end.
func baseOf(r *http.Request) string {
	if isReal(r) || r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// servePage answers a request that is not an API call, faults included.
func (s *Server) servePage(c *Call, run func() response) response {
	return s.withFault(c, func(err error) response {
		return response{status: http.StatusInternalServerError}.with(textType, err.Error()+"\n")
	}, run)
}

// newRequest returns the journal entry of a request that is not an API call.
func newRequest(r *http.Request, name string) (c *Call, defect error) {
	c = &Call{Time: time.Now(), HTTPMethod: r.Method, Proto: r.Proto, Method: name}
	c.Query, c.Params, defect = readParams(r)
	return c, defect
}

// maxForm bounds a form. OK's own bound is not documented.
const maxForm = 10 << 20

// readParams returns the parameters of r: those of the query, and all. The
// error is the reason why there are none, or not all of them. The result keeps
// duplicates.
func readParams(r *http.Request) (query, all url.Values, err error) {
	query, err = parseQuery("query", r.URL.RawQuery)
	form, formErr := readForm(r)
	all = cloneValues(query)
	for name, values := range form {
		all[name] = append(all[name], values...)
	}
	if err == nil {
		err = formErr
	}
	return query, all, err
}

func readForm(r *http.Request) (url.Values, error) {
	if r.Body == nil {
		return nil, nil
	}
	if r.Method != http.MethodPost || !isForm(r) {
		// The body is not used, but until it is read net/http does not notice
		// that the client is gone.
		_, err := io.CopyN(io.Discard, r.Body, maxForm)
		return nil, broken(err)
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" {
		return nil, fail(okerrors.CodeRequest, "oktest takes no form with Content-Encoding "+coding)
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err != nil {
		return nil, broken(err)
	}
	if len(text) > maxForm {
		return nil, fail(okerrors.CodeTooLongRequestSize, fmt.Sprintf("The form has more than %d bytes", maxForm))
	}
	return parseQuery("form", string(text))
}

func broken(err error) error {
	if err == nil || err == io.EOF {
		return nil
	}
	return fail(okerrors.CodeRequest, "The body broke off: "+err.Error())
}

func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// parseQuery parses the text of a query or a form. It does not repeat the text
// in its error, which may be a secret.
func parseQuery(where, text string) (url.Values, error) {
	values, err := url.ParseQuery(text)
	switch {
	case err == nil:
		return values, nil
	case strings.Contains(text, ";"):
		return values, fail(okerrors.CodeRequest, "The "+where+" has a raw ; in it: separate parameters by &, and write %3B in a value")
	default:
		return values, fail(okerrors.CodeRequest, "The "+where+" has a percent sign that begins no escape: write %25")
	}
}

// repeated returns the first parameter that was sent more than once, or "".
func repeated(params url.Values) string {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if len(params[name]) > 1 {
			return name
		}
	}
	return ""
}
