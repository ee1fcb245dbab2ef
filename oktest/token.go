package oktest

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// oauthError is an error of the token endpoint or of the authorize page.
type oauthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// tokenResponse is a success of the token endpoint.
type tokenResponse struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	RefreshToken string `json:"refresh_token,omitempty"`
	ExpiresIn    any    `json:"expires_in,omitempty"`
}

// serveToken answers /oauth/token.do.
func (s *Server) serveToken(r *http.Request) response {
	c, defect := newRequest(r, TokenEndpoint)
	update := s.enter(&s.exchanges, c)
	defer update()
	a := s.servePage(c, func() response { return s.exchange(c, defect) })
	if !a.reset {
		c.Status = a.code()
	}
	return a
}

func (s *Server) exchange(c *Call, defect error) response {
	if len(c.Params) == 0 {
		return response{status: http.StatusBadRequest}.with(htmlType,
			"<html><head><title>Error report</title></head><body><h1>HTTP Status 400 - Provide OAUTH request parameters!</h1></body></html>\n")
	}
	if id := c.Params.Get("client_id"); id != "" && !isNumber(id) {
		c.Refusal = "client_id is not a number"
		return response{}.with(htmlType, notANumberPage)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tokens, rejection := s.grantTokens(c.Params, defect)
	if rejection != nil {
		c.Refusal = rejection.Code + ": " + rejection.Description
		status := cmp.Or(s.settings.OAuthErrorStatus, http.StatusBadRequest)
		return response{status: status}.with(jsonType, marshal(rejection))
	}
	c.Ran = true
	c.UserID = s.sessions[tokens.AccessToken].userID()
	return response{}.with(jsonType, marshal(tokens))
}

// notANumberPage is what OK was recorded to send, with status 200, for a
// client_id that is not a number, such as the application key.
const notANumberPage = "<html><head><title>Error</title></head><body>Error : Failed to convert value of type 'java.lang.String' " +
	"to required type 'java.lang.Long'; nested exception is java.lang.NumberFormatException</body></html>\n"

func isNumber(text string) bool {
	_, err := strconv.ParseInt(text, 10, 64)
	return err == nil
}

// grantTokens exchanges what p has for tokens. The caller has locked s.mu.
func (s *Server) grantTokens(p url.Values, defect error) (*tokenResponse, *oauthError) {
	if defect != nil {
		return nil, &oauthError{"invalid_request", asAPIError(defect).Message}
	}
	if name := repeated(p); name != "" {
		return nil, &oauthError{"invalid_request", "Parameter " + name + " comes more than once"}
	}
	if p.Get("client_id") == "" || p.Get("client_secret") == "" {
		return nil, &oauthError{"invalid_request", "Missed required parameter: client_id and client_secret are sent as parameters"}
	}
	if p.Get("client_id") != s.app.ID || p.Get("client_secret") != s.app.Secret {
		return nil, &oauthError{"invalid_client", "Unknown client_id or wrong client_secret"}
	}
	switch p.Get("grant_type") {
	case "authorization_code":
		return s.exchangeCode(p.Get("code"), p.Get("redirect_uri"))
	case "refresh_token":
		return s.exchangeRefresh(p.Get("refresh_token"))
	default:
		return nil, &oauthError{"unsupported_grant_type", "grant_type must be authorization_code or refresh_token"}
	}
}

func (s *Server) exchangeCode(code, redirect string) (*tokenResponse, *oauthError) {
	g := s.codes[code]
	if g == nil || ended(g.expires) {
		return nil, &oauthError{"invalid_grant", "Unknown, used or expired code"}
	}
	if withoutQuery(redirect) != withoutQuery(g.redirect) {
		return nil, &oauthError{"invalid_grant", "redirect_uri differs from the one the code was made for"}
	}
	delete(s.codes, code)
	t := s.issue(g)
	t.RefreshToken = s.addRefresh(g.user, g.long)
	return t, nil
}

func (s *Server) exchangeRefresh(token string) (*tokenResponse, *oauthError) {
	g := s.refresh[token]
	switch {
	case g == nil:
		return nil, &oauthError{"invalid_token", "Invalid refresh token structure"}
	case g.revoked, ended(g.expires):
		return nil, &oauthError{"invalid_grant", "Revoked or expired refresh token"}
	}
	t := s.issue(g)
	if s.settings.RotateRefresh && !g.replaced {
		g.replaced = true
		if end := time.Now().Add(s.settings.RefreshGrace); g.expires.IsZero() || end.Before(g.expires) {
			g.expires = end
		}
	}
	if g.replaced {
		t.RefreshToken = s.addRefresh(g.user, g.long)
	}
	return t, nil
}

// issue makes a new session. Those of the server flow have no secret of their
// own.
func (s *Server) issue(g *grant) *tokenResponse {
	x := s.addSession(g.user, "", g.long)
	a := &tokenResponse{AccessToken: x.token, TokenType: "session"}
	if seconds := int(x.lifetime().Seconds()); seconds > 0 {
		switch s.settings.ExpiresIn {
		case ExpiresString:
			a.ExpiresIn = strconv.Itoa(seconds)
		case ExpiresNumber:
			a.ExpiresIn = seconds
		}
	}
	return a
}

// withoutQuery returns the part of a redirect URI that OK compares.
func withoutQuery(uri string) string {
	before, _, _ := strings.Cut(uri, "?")
	return before
}
