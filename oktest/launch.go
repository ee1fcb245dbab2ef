package oktest

import (
	"cmp"
	"net/url"
	"strconv"
	"time"
)

// Launch returns the parameters with which OK opens the page of the application
// for the user, in a new session: add them to the URL of the page as a query.
// The user has installed the application, but grants no other scope; see
// [User.Grant].
//
// session_key and session_secret_key are those of the session, auth_sig and sig
// those that OK makes. To test with other values, change the parameters and call
// [Server.Sign]; to test with forged ones, see [Tamperings]. The parameters
// contain secrets, which package fmt prints.
//
// The names are those of https://apiok.ru/en/dev/app. OK does not document the
// values of apiconnection, refplace, container, mob, mob_platform,
// header_widget and first_start: here they are assumed.
func (u *User) Launch() url.Values {
	s := u.server
	s.mu.Lock()
	defer s.mu.Unlock()
	u.grant(nil)
	session := s.addSession(u, newSecret(), false)
	return s.Sign(url.Values{
		"logged_user_id":     {u.id},
		"api_server":         {cmp.Or(s.settings.APIServer, "https://api.ok.ru/")},
		"application_key":    {s.app.Key},
		"session_key":        {session.token},
		"session_secret_key": {session.secret},
		"auth_sig":           {md5Hex(u.id + session.token + s.app.Secret)},
		"authorized":         {"1"},
		"apiconnection":      {s.app.ID + "_" + strconv.FormatInt(time.Now().UnixMilli(), 10)},
		"refplace":           {"user_apps"},
		"referer":            {""},
		"custom_args":        {""},
		"container":          {"true"},
		"mob":                {"false"},
		"mob_platform":       {""},
		"header_widget":      {""},
		"first_start":        {"0"},
	})
}

// Sign sets sig in params as OK signs what it sends to a program, and returns
// params: the MD5 of every other parameter as name=value, sorted by name and
// joined without separators, followed by the application_secret_key. Unlike the
// signature of a call it covers access_token and resig. Of a parameter with
// several values it covers the first.
func (s *Server) Sign(params url.Values) url.Values {
	return signAs(params, s.app.Secret)
}

// signAs sets the sig that an application with this secret gets.
func signAs(params url.Values, secret string) url.Values {
	params.Set("sig", md5Hex(signedText(params, namesBut(params, "sig"))+secret))
	return params
}
