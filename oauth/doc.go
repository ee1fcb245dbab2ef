// Package oauth signs users of OK in and keeps their sessions: one type per
// OAuth grant, a [Source] that caches and renews what a grant obtains, and
// stores in which sessions outlive a process.
//
// A session is an [oauth2.Token]: the access token, in some flows a refresh
// token, and in others a session secret, which is its extra
// session_secret_key; see [SessionSecret]. A Source is an [oauth2.TokenSource]
// for okru.Config and transport.Signer:
//
//	source := oauth.NewSource(oauth.Code{…}, oauth.Options{Store: oauth.FileStore(path)})
//	client, err := okru.NewClient(okru.Config{…, TokenSource: source})
//
// Which grant to take:
//
//   - [Code]: a web server, where users sign in with OK.
//   - [Loopback]: a command-line or desktop program, whose user has a browser.
//   - [Implicit]: a program that signs in with login and password on OK's
//     pages; or one that shows these pages itself, with [Implicit.AuthURL] and
//     [ParseRedirect].
//   - [Password]: applications that may call auth.login.
//   - [Refresh]: a refresh token kept from before.
//   - [Static]: an eternal token, the launch parameters session_key and
//     session_secret_key of an app inside OK, or any session received
//     elsewhere.
//
// Grants send secrets in the bodies of requests only, to https://api.ok.ru or
// https://connect.ok.ru only, and follow no redirect of the token endpoint.
// Nothing of this package prints a secret: not in package fmt, nor in JSON,
// log/slog or an error. An oauth2.Token itself does: do not print one.
//
// # Coming from aiookru
//
// The session classes of aiookru, and what takes their place: the TokenSource
// and the Circuit of okru.Config, besides its ApplicationKey.
//
//	aiookru                TokenSource                                        Circuit
//	PublicSession          nil                                                transport.Unsigned
//	TokenSession           Static(access_token, session_secret_key)           transport.Auto
//	ClientSession          Static(access_token, session_secret_key)           transport.ClientServer
//	ServerSession          Static(access_token, "")                           transport.ServerServer
//	CodeSession            Code: ClientID, ClientSecret, Code, RedirectURL    transport.Auto
//	CodeServerSession      the same                                           transport.ServerServer
//	ImplicitSession        Implicit: ClientID, Login, Password, Scopes,       transport.Auto
//	                       RedirectURL, State
//	ImplicitClientSession  the same                                           transport.ClientServer
//	PasswordSession        Password: ApplicationKey, Login, Password          transport.Auto
//	PasswordClientSession  the same                                           transport.ClientServer
//	RefreshSession         Refresh: ClientID, ClientSecret, RefreshToken      transport.Auto
//	RefreshServerSession   the same                                           transport.ServerServer
//
// Grants go through [NewSource]. The circuits Auto and ServerServer want the
// application secret in okru.Config as well, where Auto uses the session
// secret instead if there is none. Of aiookru's names, app_id is ClientID,
// app_key is ApplicationKey, app_secret_key is ClientSecret in a grant and
// ApplicationSecret elsewhere, and passwd is Password.
package oauth
