package oktest

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	okerrors "github.com/go-okru/okru/errors"
)

// maxGraphBody bounds the JSON of a Graph call. OK's own bound is not
// documented.
const maxGraphBody = 1 << 20

// A graphCall is a call of the Graph API on its way through the server.
type graphCall struct {
	apiCall
	path []string // the segments after /graph/
	bot  *Bot     // whose token it has; nil: none
}

// serveGraph answers all paths under /graph/.
func (s *Server) serveGraph(r *http.Request) response {
	c := s.newGraphCall(r)
	update := s.enter(&s.journal, &c.Call)
	defer update()
	a := s.withFault(&c.Call, c.failure, c.perform)
	if !a.reset {
		c.Status = a.code()
	}
	return a
}

// newGraphCall finds out what r is, and judges nothing.
func (s *Server) newGraphCall(r *http.Request) *graphCall {
	c := &graphCall{apiCall: apiCall{server: s, request: r}}
	c.Time, c.HTTPMethod, c.Proto = time.Now(), r.Method, r.Proto
	c.Query, c.defect = parseQuery("query", r.URL.RawQuery)
	c.Params = cloneValues(c.Query)
	c.path = strings.Split(strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/graph/"), "/"), "/")
	c.Method = graphMethod(c.path)
	if r.Body != nil {
		text, err := io.ReadAll(io.LimitReader(r.Body, maxGraphBody+1))
		if c.Body = string(text); err != nil && c.defect == nil {
			c.defect = broken(err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.bots {
		if b.token == c.Params.Get("access_token") {
			c.bot, c.UserID = b, "group:"+b.group.id
		}
	}
	return c
}

// graphMethod returns the method of a Graph call, such as
// "graph/me/messages/{id}".
func graphMethod(path []string) string {
	named := slices.Clone(path)
	for i, segment := range named {
		if strings.Contains(segment, ":") {
			named[i] = "{id}"
		}
	}
	return "graph/" + strings.Join(named, "/")
}

// perform answers the call as OK would.
func (c *graphCall) perform() response {
	if err := c.admitGraph(); err != nil {
		return c.reject(err)
	}
	run := graphMethods[c.HTTPMethod+" "+c.Method]
	if run == nil {
		return c.failure(fail(okerrors.CodeMethod, "oktest has no "+c.HTTPMethod+" of "+c.Method+" in the Graph API"))
	}
	c.Ran = true
	result, err := run(c)
	if err != nil {
		return c.failure(err)
	}
	return response{}.with(jsonType, marshal(result))
}

// admitGraph returns why the call is rejected, or nil.
func (c *graphCall) admitGraph() error {
	for _, check := range []func(*graphCall) error{
		(*graphCall).checkQuery,
		(*graphCall).checkToken,
		(*graphCall).checkBody,
		func(c *graphCall) error { return c.checkLimits() },
	} {
		if err := check(c); err != nil {
			return err
		}
	}
	return nil
}

// badGraph returns the error of a Graph call that is wrong.
func badGraph(text string) error { return fail(okerrors.CodeGraphParamRequest, text) }

func (c *graphCall) checkQuery() error {
	if c.defect != nil {
		return c.defect
	}
	if name := repeated(c.Params); name != "" {
		return badGraph("Parameter " + name + " comes more than once")
	}
	for _, name := range []string{"application_key", "sig", "session_key", "application_secret_key", "session_secret_key"} {
		if c.Params.Has(name) {
			return badGraph("A Graph call is not signed, and takes no session and no application: leave out " + name)
		}
	}
	return nil
}

// checkToken checks the token, and prolongs it.
func (c *graphCall) checkToken() error {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	switch {
	case c.Params.Get("access_token") == "":
		return failParam("access_token", "Missed required parameter: access_token")
	case c.bot == nil || c.bot.token != c.Params.Get("access_token"):
		return usualFailure(okerrors.CodeParamSessionKey)
	case !time.Now().Before(c.bot.expires):
		return usualFailure(okerrors.CodeParamSessionExpired)
	}
	c.bot.expires = time.Now().Add(botTokenLifetime)
	return nil
}

func (c *graphCall) checkBody() error {
	if c.HTTPMethod != http.MethodPost {
		if c.Body != "" {
			return badGraph("A GET has no body")
		}
		return nil
	}
	kind, params, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	charset := params["charset"]
	switch {
	case err != nil || kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8"):
		return badGraph("A POST needs Content-Type: application/json;charset=utf-8")
	case len(c.Body) > maxGraphBody:
		return fail(okerrors.CodeTooLongRequestSize, "The body has more than "+strconv.Itoa(maxGraphBody)+" bytes")
	case !json.Valid([]byte(c.Body)) || !strings.HasPrefix(strings.TrimSpace(c.Body), "{"):
		return badGraph("The body is not a JSON object")
	}
	return nil
}

// count returns the parameter count.
func (c *graphCall) count() (int, error) {
	n, err := c.number("count", 50)
	if err == nil && (n < 1 || n > 100) {
		err = badGraph("count must be from 1 to 100")
	}
	return int(n), err
}

// number returns a parameter that is a number, or usual if it was not sent.
func (c *graphCall) number(name string, usual int64) (int64, error) {
	if !c.Params.Has(name) {
		return usual, nil
	}
	n, err := strconv.ParseInt(c.Params.Get(name), 10, 64)
	if err != nil {
		return 0, badGraph(name + " is not a number")
	}
	return n, nil
}

// decode fills v with the body.
func (c *graphCall) decode(v any) error {
	if err := json.Unmarshal([]byte(c.Body), v); err != nil {
		return badGraph("The body is wrong: " + err.Error())
	}
	return nil
}
