// Package okvcr keeps secrets out of the cassettes of go-vcr, and makes a
// cassette replay for any session, so that recordings of OK can be committed
// and used by tests.
//
//	r, err := recorder.New("testdata/friends",
//		recorder.WithHook(okvcr.Hook, recorder.BeforeSaveHook),
//		recorder.WithMatcher(okvcr.Matcher),
//		recorder.WithSkipRequestLatency(true),
//	)
//	defer r.Stop()
//	client, err := okru.NewClient(okru.Config{…, Base: r})
//
// The first run calls OK and writes testdata/friends.yaml. Later runs read the
// responses from the file, and need neither the network nor real keys.
//
// # Where the recorder goes
//
// Below the stack, as Config.Base: it sees signed requests and the unchanged
// responses of OK, API errors included. On replay the whole stack runs, with
// signing, retries and error handling. Prefer this. To record sign-ins, use the
// same recorder as the transport of the HTTPClient of the grants of package
// oauth.
//
// Above the stack, with the stack as its real transport: it sees the requests
// and the responses of the program, one interaction per call, also if the call
// was retried. A replay needs no keys at all. go-vcr does not record errors of
// a transport, so set Config.PassErrors: API errors then stay in the responses,
// where [okru.Call] finds them. Of a signed form go-vcr stores only the parsed
// parameters, which is enough for [Matcher].
//
// A cassette must be replayed at the place where it was recorded.
//
// # What is removed
//
// A parameter or field is secret by its name. Names that are not listed stay,
// because parameters distinguish one call from another. To miss no secret, the
// list consists of families: each name that contains token, secret, password
// or session_key, and the names of signatures and authorization codes. The
// value of a secret is also removed from the rest of its interaction, where a
// message or a redirect may quote it, in any escaping. Hook reads JSON, XML,
// HTML, forms and multipart, also nested.
//
// A header keeps its value only if its name is listed, because headers do not
// distinguish calls. Cookies lose their values.
//
// All other data stays: ids, including those in an upload URL, logins, names
// and birthdays of friends. Record with an account that was made for tests.
//
// # Limits
//
//   - Without [recorder.WithSkipRequestLatency] a Recorder waits as long as the
//     response took, also while recording, and even if the context ends.
//   - A request that the file does not have results in an error of the
//     transport, which the stack retries if the call only reads. Set
//     Config.Retry.Max to -1 to fail at once.
//   - VCR_DEBUG and [recorder.WithDebugWriter] print requests with their
//     secrets.
//   - Recorder.Stop writes the file. If [Hook] fails, which it does for a body
//     that it cannot decompress, nothing is written.
//   - A Recorder does not forward CloseIdleConnections: call it on the transport
//     below.
//
// [recorder.WithSkipRequestLatency]: https://pkg.go.dev/gopkg.in/dnaeon/go-vcr.v4/pkg/recorder#WithSkipRequestLatency
// [recorder.WithDebugWriter]: https://pkg.go.dev/gopkg.in/dnaeon/go-vcr.v4/pkg/recorder#WithDebugWriter
// [okru.Call]: https://pkg.go.dev/github.com/go-okru/okru#Call
package okvcr
