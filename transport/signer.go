package transport

// This file has the settings of the Signer and its layer. A call then takes this
// way: signer_call.go checks and sends it, signer_token.go has its session,
// signer_keys.go what signs it, signer_params.go its parameters, signer_redact.go
// keeps its secrets to the layer, and signer_renew.go repeats it if the session
// was rejected.

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
)

// A Signer gives API calls their session and signature. See
// https://apiok.ru/en/dev/methods.
//
// API calls are requests for /fb.do and /api/GROUP/NAME on one of Hosts. Any
// other request passes through untouched, so that neither an upload URL nor the
// target of a redirect sees a secret; calls of the Graph API are left to a [Group]
// below. To a private copy of a call the Signer adds
//
//   - application_key,
//   - format=json, unless the call has a format,
//   - sig, unless the circuit is [Unsigned],
//   - access_token, if the circuit has a session,
//
// and removes the caller's own sig. They go into the form of a POST with a
// form, else into the query; the parameters there are sorted by key. The signature
// covers query and form together. A multipart body or any other is sent as it is,
// and not covered. Headers stay as they are.
//
// A call whose session the API rejects (codes 102, 103 and 107, and 100 about
// a session parameter) is repeated once with a newer session, if the source
// of the session has one. The Signer reports the rejection by its method
// Invalidate(*oauth2.Token), or by Replace(old, new *oauth2.Token) if the API
// handed out new keys; both are optional, and [oauth.Source] has them. If it
// has TokenContext(context.Context) (*oauth2.Token, error), that is called
// instead of Token.
//
// These calls are rejected before anything is sent, with an error whose method
// Terminal() bool returns true:
//
//   - one with a duplicate parameter, a bad percent-escape, a raw semicolon, or a
//     secret among the parameters;
//   - one with an access_token or a session_key that is not the session which it
//     would use: the session of one call is set by [WithToken];
//   - one whose form is too long or compressed;
//   - one without a session that it needs, or whose source returns an error;
//   - one over plain http, except to a loopback host;
//   - one to which a host that is not one of Hosts has redirected: by
//     http.Request.Response, the Signer knows the hosts on the way;
//   - a request on one of Hosts whose path begins like that of a call and is not
//     one, such as /api/users.getInfo;
//   - every call, if a setting is wrong.
//
// A call that is not known to be safe to repeat is sent once: net/http does not
// repeat it by itself when a kept connection breaks. That has a price for a
// write by GET, or with a header Idempotency-Key or X-Idempotency-Key. Over
// HTTP/2 it carries an empty DATA frame, which some servers reject, and it fails
// instead of being repeated when the server closes the connection in good order
// or rejects the stream (REFUSED_STREAM). Send writes by POST, without such a
// header.
//
// A Signer prints without its secrets, unless it is in an unexported field of
// another struct: package fmt then prints the fields by itself.
//
// [oauth.Source]: https://pkg.go.dev/github.com/go-okru/okru/oauth#Source
type Signer struct {
	// ApplicationKey is the public key of the application; required.
	ApplicationKey string

	// ApplicationSecret is the application secret key. Leave it empty in
	// programs that are handed to users.
	ApplicationSecret string

	// TokenSource is where sessions come from. If nil, calls have none, unless
	// their context does: see WithToken and WithTokenSource. If its Token knows
	// no context, it is called by one goroutine at a time; calls that need a
	// session meanwhile share the result, and give up when their context ends.
	// A panic of Token is the error of these calls.
	TokenSource oauth2.TokenSource

	// Circuit is how calls are signed; by default, Auto. See WithCircuit.
	Circuit Circuit

	// Hosts are the hosts of the API, as in "api.ok.ru" or "127.0.0.1:8080".
	// By default, api.ok.ru. One without a port means the port that the scheme
	// of a call implies. Calls to them must use https, except to a loopback
	// host.
	Hosts []string

	// BeforeRepeat, if not nil, is asked before a call is repeated with a
	// renewed session, with the caller's request. Its error ends the call. It
	// is where a rate limit charges the repeat.
	BeforeRepeat func(*http.Request) error
}

// Wrap returns the layer over next; nil means [http.DefaultTransport]. It
// copies s: later changes have no effect. The layer is safe for concurrent use
// by multiple goroutines.
func (s Signer) Wrap(next http.RoundTripper) http.RoundTripper {
	layer := newHostLayer(next, s.Hosts, s.Check())
	calls := layer.Base
	if g, ok := next.(*groupLayer); ok { // it has nothing to do with calls that are signed
		calls = g.Base
	}
	return &signer{
		hostLayer:   layer,
		calls:       calls,
		settings:    s,
		scratch:     sync.Pool{New: func() any { return newParams(s.ApplicationKey) }},
		own:         source{tokens: s.TokenSource, prompt: isPrompt(s.TokenSource)},
		sessionless: &keys{secret: s.ApplicationSecret},
	}
}

// Check returns what is wrong with s, all faults joined, or nil. The layer
// answers every API call with it. A missing secret or source is no fault,
// since a call's context may bring a session.
func (s Signer) Check() error {
	var key, circuit, source error
	if s.ApplicationKey == "" {
		key = errors.New("okru: ApplicationKey is empty; set it to the public key of your application")
	}
	if !s.Circuit.Valid() {
		circuit = fmt.Errorf("okru: Circuit is %d; use one of transport's constants, Auto to Unsigned", int(s.Circuit))
	}
	if roundtrip.IsTypedNil(s.TokenSource) {
		source = fmt.Errorf("okru: TokenSource is a nil %T; leave it out for calls without a session", s.TokenSource)
	}
	_, noHosts := okcall.ParseHosts(s.Hosts)
	return errors.Join(key, circuit, source, noHosts,
		checkSpace("ApplicationKey", s.ApplicationKey),
		checkSpace("ApplicationSecret", s.ApplicationSecret))
}

// checkSpace returns an error if a value has white space around it, which comes
// from the page or the file that it was copied from. The API would report a
// wrong signature or an invalid session.
func checkSpace(name, value string) error {
	if strings.TrimSpace(value) != value {
		return fmt.Errorf("okru: %s begins or ends with white space; remove it", name)
	}
	return nil
}

// view shows the fields without secrets.
func (s Signer) view() redact.View {
	return redact.Show("transport.Signer",
		slog.String("ApplicationKey", s.ApplicationKey),
		redact.Secret("ApplicationSecret", s.ApplicationSecret),
		slog.Bool("TokenSource", s.TokenSource != nil),
		slog.String("Circuit", s.Circuit.String()),
		slog.Any("Hosts", s.Hosts),
	)
}

// Format implements [fmt.Formatter]: every verb prints the settings, without secrets.
func (s Signer) Format(f fmt.State, verb rune) { s.view().Format(f, verb) }

// LogValue implements [slog.LogValuer] in the same way.
func (s Signer) LogValue() slog.Value { return s.view().LogValue() }

// MarshalJSON returns what LogValue shows, as a JSON object.
func (s Signer) MarshalJSON() ([]byte, error) { return s.view().MarshalJSON() }

// signer is the layer of a Signer.
type signer struct {
	hostLayer
	calls       roundtrip.Base // sends the calls: the Base, or what is below a Group there
	settings    Signer
	scratch     sync.Pool // of *params
	own         source    // of sessions, unless a context brings its own
	sessionless *keys     // of calls without a session; without a secret, not used
	derived     keyCache
}

// Format hides the settings, which package fmt would print with their secrets.
func (s *signer) Format(f fmt.State, verb rune) { s.settings.Format(f, verb) }
