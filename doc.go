// Package okru calls the REST API of OK.ru (Odnoklassniki) through the
// *http.Client a program already has.
//
// [NewClient] returns an *http.Client for which a call of the API is a plain
// request:
//
//	client, err := okru.NewClient(okru.Config{
//		ApplicationKey:    "…",
//		ApplicationSecret: "…",
//		TokenSource:       oauth.Static("access token", ""),
//	})
//	resp, err := client.Get("https://api.ok.ru/fb.do?method=users.getCurrentUser")
//
// Its transport gives the request a session and a signature, turns an API
// error in the response into an *okerrors.Error, repeats what is safe to repeat
// and keeps to a rate limit. [Call] is a shorthand which decodes the response,
// and [Pages] calls a method for all its pages. [Graph] is the same for the Graph
// API, by which the bot of a group reads and writes messages. [Upload] and
// [UploadResumable] send files.
//
// The transport is a stack of layers, each of which can be used alone:
//
//	okerrors.Decode    an API error in a response becomes a Go error
//	transport.Retry    repeats what is safe to repeat, within a budget
//	ratelimit.Limit    one token per attempt, waits in the queue
//	Config.Layers      the program's own layers: each attempt before it is signed
//	transport.Signer   session and signature, renews a rejected session once
//	transport.Group    the group token of Graph calls
//
// The limit is inside the retry because a server counts attempts; the Signer
// and the Group are innermost because a session may expire while a call waits
// in the queue, and because nothing may touch parameters once they are signed.
//
// Sessions come from package oauth, and package oktest is a fake of the
// service for tests. The folder docs of the module has a cookbook, how calls are
// signed, and how to come from other clients.
package okru
