package oktest

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	okerrors "github.com/go-okru/okru/errors"
)

// apiCall is a call of the API on its way through the server.
type apiCall struct {
	Call
	server  *Server
	request *http.Request
	session *session // nil: none was given, or it is unknown
	defect  error    // why the parameters cannot be read
}

// serveAPI answers /fb.do and all paths under /api/.
func (s *Server) serveAPI(r *http.Request) response {
	c := s.newCall(r)
	update := s.enter(&s.journal, &c.Call)
	defer update()
	a := s.withFault(&c.Call, c.failure, c.perform)
	if !a.reset {
		c.Status = a.code()
	}
	return a
}

// newCall finds out what r is, and judges nothing.
func (s *Server) newCall(r *http.Request) *apiCall {
	c := &apiCall{server: s, request: r}
	c.Time, c.HTTPMethod, c.Proto = time.Now(), r.Method, r.Proto
	c.Query, c.Params, c.defect = readParams(r)
	c.Method = c.Params.Get("method")
	if rest, ok := strings.CutPrefix(r.URL.Path, "/api/"); ok {
		c.Method = pathMethod(rest)
	}
	if token := c.token(); token != "" {
		c.session = s.sessionOf(token)
	}
	if c.session != nil {
		c.UserID = c.session.userID()
	}
	c.Circuit = s.circuitOf(c.Params, c.session)
	return c
}

// pathMethod returns the method in GROUP/NAME. What has another form, such as
// GROUP.NAME, is returned so that it is the name of no method.
func pathMethod(path string) string {
	group, name, ok := strings.Cut(path, "/")
	if !ok || strings.ContainsAny(group+name, "./") {
		return "/api/" + path
	}
	return group + "." + name
}

// token returns the session that the call names, under either name.
func (c *apiCall) token() string {
	if c.Params.Has("access_token") {
		return c.Params.Get("access_token")
	}
	return c.Params.Get("session_key")
}

// remoteIP returns where the call came from.
func (c *apiCall) remoteIP() string {
	host, _, err := net.SplitHostPort(c.request.RemoteAddr)
	if err != nil {
		return c.request.RemoteAddr
	}
	return host
}

// perform answers the call as OK would.
func (c *apiCall) perform() response {
	if err := c.admit(); err != nil {
		return c.reject(err)
	}
	c.Ran = true
	result, err := c.run()
	if err != nil {
		return c.failure(err)
	}
	if raw, ok := result.(json.RawMessage); ok {
		return response{}.with(jsonType, string(raw))
	}
	text, err := json.Marshal(result)
	if err != nil {
		return c.failure(err)
	}
	return response{}.with(jsonType, string(text))
}

// run runs the method: the caller's own, or else that of oktest.
func (c *apiCall) run() (any, error) {
	c.server.prolong(c.session)
	if h := c.server.handler(c.Method); h != nil {
		result, err := h(cloneValues(c.Params))
		if e, ok := err.(*okerrors.Error); ok && e == nil {
			err = nil // a nil pointer in an error: nothing failed
		}
		return result, err
	}
	if method := methods[c.Method]; method != nil {
		return method(c)
	}
	return nil, fail(okerrors.CodeMethod, "oktest does not implement "+c.Method+": add it with Server.Handle")
}

func (s *Server) handler(method string) func(url.Values) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handlers[method]
}
