package oktest

import (
	"slices"
	"strconv"
	"strings"

	okerrors "github.com/go-okru/okru/errors"
)

// admit returns why the call is rejected, or nil. The first check that fails
// decides: first what every call needs, then the session, since the signature
// depends on it.
func (c *apiCall) admit() error {
	for _, check := range []func(*apiCall) error{
		(*apiCall).checkForm,
		(*apiCall).checkApplication,
		(*apiCall).checkMethod,
		(*apiCall).checkSessionGiven,
		(*apiCall).checkSession,
		(*apiCall).checkSignature,
		(*apiCall).checkScopes,
		(*apiCall).checkLimits,
	} {
		if err := check(c); err != nil {
			return err
		}
	}
	return nil
}

func (c *apiCall) checkForm() error {
	if c.defect != nil {
		return c.defect
	}
	if name := repeated(c.Params); name != "" {
		return failParam(name, "Parameter "+name+" comes more than once: send a list as one value, joined by commas")
	}
	for _, name := range []string{"application_secret_key", "client_secret", "session_secret_key"} {
		if c.Params.Has(name) {
			return failParam(name, "A secret must never be sent: leave out "+name)
		}
	}
	return nil
}

func (c *apiCall) checkApplication() error {
	switch c.Params.Get("application_key") {
	case "":
		return fail(okerrors.CodeParamAPIKey, "No application key")
	case c.server.app.Key:
		return nil
	default:
		return fail(okerrors.CodeParamAPIKey, "Application not exist")
	}
}

func (c *apiCall) checkMethod() error {
	if c.Method == "" {
		return fail(okerrors.CodeMethod, "No method: send the parameter method, or call /api/GROUP/NAME")
	}
	if _, ok := c.server.demandOf(c.Method); !ok {
		return fail(okerrors.CodeMethod, "Method "+c.Method+" not found")
	}
	if sent := c.Params.Get("method"); sent != "" && sent != c.Method {
		return failParam("method", "Parameter method is "+sent+", but the path names "+c.Method)
	}
	return nil
}

// checkSessionGiven compares what the method wants with whether a session was
// given, good or bad.
func (c *apiCall) checkSessionGiven() error {
	d, _ := c.server.demandOf(c.Method)
	given := c.Params.Has("access_token") || c.Params.Has("session_key")
	switch {
	case given && d.session == sessionProhibited:
		return fail(okerrors.CodeNotSessionMethod, "Method "+c.Method+" must be called without a session")
	case !given && d.needsSession(c.server.config().Native):
		return fail(okerrors.CodeSessionRequired, "Method "+c.Method+" needs a session: send access_token")
	}
	return nil
}

func (c *apiCall) checkSession() error {
	for _, name := range []string{"access_token", "session_key"} {
		if c.Params.Has(name) && c.Params.Get(name) == "" {
			return failParam(name, "Missed required parameter: "+name)
		}
	}
	if c.Params.Has("session_key") && c.Params.Get("session_key") != c.token() {
		return failParam("session_key", "Invalid session_key: it differs from access_token")
	}
	if c.token() == "" {
		return nil
	}
	return c.server.checkSession(c.session)
}

func (c *apiCall) checkSignature() error {
	unsigned := unsignedMethods[c.Method] || c.server.config().AllowUnsigned
	name := notUTF8(c.Params)
	switch {
	case name != "":
		return fail(okerrors.CodeParamSignature, "Invalid signature: parameter "+strconv.QuoteToASCII(name)+" is not valid UTF-8")
	case c.Circuit == "":
		return fail(okerrors.CodeParamSignature, c.server.wrongSignature(c.Params, c.session))
	case c.Circuit != "unsigned", c.session == nil && unsigned:
		return nil
	default:
		return fail(okerrors.CodeParamSignature, "No signature specified")
	}
}

// checkScopes is for methods that need a session. Those that work without one
// need no scope.
func (c *apiCall) checkScopes() error {
	d, _ := c.server.demandOf(c.Method)
	if c.session == nil || !d.needsSession(false) {
		return nil
	}
	scopes := slices.Concat(d.scopes, c.scopesOfParams())
	for _, scope := range slices.Sorted(slices.Values(scopes)) {
		if c.server.granted(c.session, scope) {
			continue
		}
		err := fail(okerrors.CodePermissionDenied, "User must grant an access to permission '"+scope+"'")
		err.Data = []byte(marshal(scope))
		return err
	}
	return nil
}

// needParam returns the value of a parameter that the method requires.
func (c *apiCall) needParam(name string) (string, error) {
	value := strings.TrimSpace(c.Params.Get(name))
	if value == "" {
		return "", failParam(name, "Missed required parameter: "+name)
	}
	return value, nil
}

// needSession is for methods that methods.tsv does not have.
func (c *apiCall) needSession() (*User, error) {
	if c.session == nil || c.session.user == nil {
		return nil, fail(okerrors.CodeSessionRequired, "Method "+c.Method+" needs a session: send access_token")
	}
	return c.session.user, nil
}
