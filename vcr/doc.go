// Package okvcr keeps secrets out of the cassettes of go-vcr, and makes a
// cassette replay whatever the session: tests against recordings of OK, which
// can be committed.
//
//	r, err := recorder.New("testdata/friends",
//		recorder.WithHook(okvcr.Hook, recorder.BeforeSaveHook),
//		recorder.WithMatcher(okvcr.Matcher),
//		recorder.WithSkipRequestLatency(true),
//	)
//	defer r.Stop()
//	client, err := okru.NewClient(okru.Config{…, Base: r})
//
// The first run calls OK and writes testdata/friends.yaml. Later runs, with
// other keys and tokens or made-up ones, are answered from the file.
//
// # Where the recorder goes
//
// Below the stack, as Config.Base: it sees signed requests and the answers of
// OK as they came, refusals included. On replay the whole stack runs, signing,
// repeats and errors included. This is the place to prefer. Put the same
// recorder below the HTTPClient of the grants of package oauth to record
// sign-ins too.
//
// Above the stack, with the stack as its real transport: it sees what the
// program asked and what it was told, one interaction per call however often
// it was repeated. A replay needs no keys at all. go-vcr does not record
// errors, so leave API errors in the answers by Config.PassErrors; [okru.Call]
// finds them there. Of a signed form go-vcr then stores what it parsed, which
// [Matcher] makes do with, and no text.
//
// A cassette replays in the place where it was recorded.
//
// # What is taken out
//
// Parameters and fields go by a list of names that are secret, not by a list
// of those that are not: only parameters tell one call from another, and a
// replay that lost those it does not know would mix calls up. A list of names
// can miss one, so it is made of families: whatever has token, secret,
// password or session_key in its name, and signatures and authorization codes.
// The value of a secret is then also taken out of the rest of its interaction,
// where a message or a redirect may quote it. JSON, XML, HTML, forms and
// multipart are understood, inside of each other as well.
//
// Headers go by a list of those that are kept, as nothing is told apart by
// them: of others the name stays and the value goes. Cookies lose their
// values.
//
// What is not secret by its name stays: ids, those in an upload URL included,
// logins, the names and birthdays of friends. Record with an account made for
// that.
//
// # What to mind
//
//   - Without [recorder.WithSkipRequestLatency] a Recorder waits as long as the
//     answer took, once more while recording, even if the context ends.
//   - To the stack, an interaction that is not in the file is an error of the
//     transport: calls that only read are tried again. Config.Retry.Max of -1
//     fails at once.
//   - VCR_DEBUG and [recorder.WithDebugWriter] print requests as they are,
//     secrets included.
//   - Recorder.Stop writes the file. If [Hook] fails, which it does for a body
//     that it cannot look into, nothing is written.
//   - A Recorder does not forward CloseIdleConnections: ask the transport
//     below it.
//
// [recorder.WithSkipRequestLatency]: https://pkg.go.dev/gopkg.in/dnaeon/go-vcr.v4/pkg/recorder#WithSkipRequestLatency
// [recorder.WithDebugWriter]: https://pkg.go.dev/gopkg.in/dnaeon/go-vcr.v4/pkg/recorder#WithDebugWriter
// [okru.Call]: https://pkg.go.dev/github.com/go-okru/okru#Call
package okvcr
