package oktest

import (
	"net"
	"net/http"
	"strings"
	"time"
)

// The hosts of OK that a Server stands for.
const (
	apiHost     = "api.ok.ru"
	connectHost = "connect.ok.ru"
)

// serve answers a request, over whatever way it came.
func (s *Server) serve(r *http.Request) answer {
	host, path := hostOf(r), r.URL.Path
	onAPI, onConnect := host != connectHost, host != apiHost
	switch {
	case onAPI && (path == "/fb.do" || strings.HasPrefix(path, "/api/")):
		return only(r, s.serveAPI, http.MethodGet, http.MethodPost)
	case onAPI && path == "/oauth/token.do":
		return only(r, s.serveToken, http.MethodPost)
	case onAPI && path == uploadPath:
		return only(r, s.serveUpload, http.MethodPost)
	case onAPI && path == "/blank.html":
		return answer{}.with(htmlType, "<!DOCTYPE html>\n<html lang=\"en\"><head><title>OK</title></head><body></body></html>\n")
	case onConnect && path == "/oauth/authorize":
		return only(r, s.serveAuthorize, http.MethodGet)
	case onConnect && path == "/dk":
		return only(r, s.serveLogin, http.MethodGet, http.MethodPost)
	}
	return answer{status: http.StatusNotFound}.with(textType, "oktest: OK has no "+path+" on "+host+"\n")
}

// only answers by serve if the method of r is one of methods.
func only(r *http.Request, serve func(*http.Request) answer, methods ...string) answer {
	for _, m := range methods {
		if r.Method == m {
			return serve(r)
		}
	}
	a := answer{status: http.StatusMethodNotAllowed}.with(textType, "oktest: this takes "+strings.Join(methods, " and ")+"\n")
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
	return host == apiHost || host == connectHost
}

// baseOf returns the URL of s as the client that sent r sees it, without a
// slash at the end.
func baseOf(r *http.Request) string {
	if isReal(r) || r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// servePage answers a request that is no call of the API, faults included.
func (s *Server) servePage(c *Call, run func() answer) answer {
	return s.withFault(c, func(err error) answer {
		return answer{status: http.StatusInternalServerError}.with(textType, err.Error()+"\n")
	}, run)
}

// newRequest returns the entry of a request that is no call of the API.
func newRequest(r *http.Request, name string) (c *Call, defect error) {
	c = &Call{Time: time.Now(), HTTPMethod: r.Method, Method: name}
	c.Query, c.Params, defect = readParams(r)
	return c, defect
}
