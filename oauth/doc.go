// Package oauth signs users of OK in and keeps their sessions. It has one type
// per OAuth grant, a [Source] that caches and renews the session of a grant,
// [Sessions] for the sessions of many users, and stores that keep sessions when
// a process ends.
//
// A session is an [oauth2.Token]: the access token, in some flows a refresh
// token, and in others a session secret, which is the token's extra
// session_secret_key; see [SessionSecret]. A Source is an [oauth2.TokenSource]
// for okru.Config and transport.Signer:
//
//	source := oauth.NewSource(oauth.Code{…}, oauth.Options{Store: oauth.FileStore(path)})
//	client, err := okru.NewClient(okru.Config{…, TokenSource: source})
//
// Which grant to use:
//
//   - [Code]: a web server, where users sign in with OK. With many users, obtain
//     the session by [Code.Token] and pass it to [Sessions.Admit].
//   - [Loopback]: a command-line or desktop program, whose user has a browser.
//   - [Implicit]: a program that signs in with login and password on OK's
//     pages, or one that shows these pages itself, with [Implicit.AuthURL] and
//     [ParseRedirect].
//   - [Password]: applications that may call auth.login.
//   - [Refresh]: a refresh token from an earlier sign-in.
//   - [Static]: an eternal token, the launch parameters session_key and
//     session_secret_key of an app inside OK, or any session received
//     elsewhere. See package callback for the verification of launch
//     parameters.
//
// One check reports whether the user must sign in again, at the first failed call
// and at every later one: errors.Is(err, oauth.ErrSignIn).
//
// # Secrets
//
// Grants send secrets in the bodies of requests only, to https://api.ok.ru or
// https://connect.ok.ru only, and follow no redirect of the token endpoint.
//
// The types of this package print without secrets in package fmt, in JSON and in
// log/slog, and no error contains one. There are limits: package fmt prints the
// fields of a grant that is in an unexported field of another struct without
// calling its methods, and encoding/xml and encoding/gob encode all exported
// fields. An oauth2.Token prints its secrets: do not print one.
//
// # Coming from aiookru
//
// The session classes of aiookru and their counterparts: the TokenSource and the
// Circuit of okru.Config, besides its ApplicationKey.
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
// Grants are passed to [NewSource]. The circuits Auto and ServerServer need the
// application secret in okru.Config as well; without one, Auto uses the session
// secret. Of aiookru's names, app_id is ClientID, app_key is ApplicationKey,
// app_secret_key is ClientSecret in a grant and ApplicationSecret elsewhere, and
// passwd is Password. The page docs/migrating.md of this module has what else
// differs.
package oauth
