package oktest

import (
	"cmp"
	"crypto/rand"
	"encoding/json"

	okerrors "github.com/go-okru/okru/errors"
)

// signedIn is the response of the login methods.
type signedIn struct {
	UID              string `json:"uid"`
	SessionKey       string `json:"session_key"`
	SessionSecretKey string `json:"session_secret_key"`
	AuthToken        string `json:"auth_token"`
	APIServer        string `json:"api_server"`
	AuthSig          string `json:"auth_sig"`
	ActivatedProfile bool   `json:"activated_profile"`
	AuthHash         string `json:"auth_hash"`
}

func (c *apiCall) authLogin() (any, error) {
	if err := c.sessionless(); err != nil {
		return nil, err
	}
	login, err := c.needParam("user_name")
	if err != nil {
		return nil, err
	}
	if !c.Params.Has("password") {
		return nil, failParam("password", "Missed required parameter: password")
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.signIn(login, c.Params.Get("password"))
	if u == nil {
		return nil, fail(okerrors.CodeAuthLogin, "Login or password is wrong")
	}
	return c.enterAs(u)
}

func (c *apiCall) authLoginByToken() (any, error) {
	if err := c.sessionless(); err != nil {
		return nil, err
	}
	token, err := c.needParam("token")
	if err != nil {
		return nil, err
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.logins[token]
	if u == nil {
		return nil, fail(okerrors.CodeAuthLogin, "Token is wrong")
	}
	return c.enterAs(u)
}

func (c *apiCall) sessionless() error {
	if c.session != nil {
		return fail(okerrors.CodeNotSessionMethod, "Method "+c.Method+" must be called without a session")
	}
	return nil
}

// enterAs makes a session for u, unless a check stands in the way. The caller has
// locked Server.mu.
func (c *apiCall) enterAs(u *User) (any, error) {
	s := c.server
	switch u.check {
	case Captcha:
		return nil, fail(okerrors.CodeAuthLoginCaptcha, "A captcha is required")
	case HumanCheck:
		err := fail(okerrors.CodeAuthLoginWebHumanCheck, "The user must confirm the login")
		base := baseOf(c.request)
		if isReal(c.request) {
			base = "https://" + connectHost
		}
		err.URL = base + "/dk?st.cmd=" + checkPages[HumanCheck]
		return nil, err
	case Blocked:
		return nil, fail(okerrors.CodeAuthLogin, "The profile is blocked")
	}
	u.joined = true
	x := s.addSession(u, newSecret(), false)
	x.trusted = true
	token := rand.Text()
	s.logins[token] = u
	return signedIn{
		UID:              u.id,
		SessionKey:       x.token,
		SessionSecretKey: x.secret,
		AuthToken:        token,
		APIServer:        cmp.Or(s.settings.APIServer, baseOf(c.request)+"/"),
		AuthSig:          md5Hex(u.id + x.token + s.app.Secret),
		ActivatedProfile: true,
		AuthHash:         rand.Text(),
	}, nil
}

// authTouchSession prolongs a long session, more often than calls do.
func (c *apiCall) authTouchSession() (any, error) {
	if _, err := c.needSession(); err != nil {
		return nil, err
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if c.session.long {
		c.session.prolong()
	}
	return true, nil
}

// sdkInit opens a session of the application, for sdkToken.
func (c *apiCall) sdkInit() (any, error) {
	data, err := c.needParam("session_data")
	if err != nil {
		return nil, err
	}
	var device struct {
		DeviceID string `json:"device_id"`
	}
	if json.Unmarshal([]byte(data), &device) != nil || device.DeviceID == "" {
		return nil, failParam("session_data", "session_data must be a JSON object with device_id")
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	x := c.server.addSession(nil, newSecret(), false)
	return map[string]string{
		"session_key":        x.token,
		"session_secret_key": x.secret,
		"api_server":         baseOf(c.request) + "/",
	}, nil
}

func (c *apiCall) sdkGetInstallSource() (any, error) {
	token, err := c.needParam("sdkToken")
	if err != nil {
		return nil, err
	}
	if err := c.server.checkSession(c.server.sessionOf(token)); err != nil {
		return nil, err
	}
	return 5, nil
}
