package oauth

import "golang.org/x/oauth2"

// The only two places that grants talk to, and what they ask for there.
const (
	connectHost = "connect.ok.ru"
	authURL     = "https://connect.ok.ru/oauth/authorize"
	tokenURL    = "https://api.ok.ru/oauth/token.do"
	loginURL    = "https://api.ok.ru/fb.do"

	// blankPage is where the implicit flow ends for programs without a
	// redirect URI of their own.
	blankPage = "https://api.ok.ru/blank.html"
)

// Endpoint is OK's OAuth 2.0 endpoint, for an [oauth2.Config] of your own. The
// one in golang.org/x/oauth2/odnoklassniki has hosts that are gone.
//
// Mind that OK wants scopes joined by semicolons, where x/oauth2 joins them by
// spaces: pass them as one string. Mind too that [oauth2.Transport] sends the
// token in a header, where OK does not look; use the client of package okru.
//
// See https://apiok.ru/en/ext/oauth/server.
var Endpoint = oauth2.Endpoint{
	AuthURL:   authURL,
	TokenURL:  tokenURL,
	AuthStyle: oauth2.AuthStyleInParams,
}
