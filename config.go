package okru

// This file has the settings of a client, and what is checked about them before
// anything is sent. client.go stacks the layers that they describe.

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// Config says how to call the API. Only ApplicationKey is required, and not even
// that for the bot of a group. A Config prints without its secrets, unless it is
// in an unexported field of another struct: package fmt then prints the fields by
// itself.
type Config struct {
	// ApplicationKey is the public key of the application; required, unless
	// GroupToken is set. Without a key, only calls of the Graph API work.
	ApplicationKey string

	// ApplicationSecret is the application secret key. Leave it empty in
	// programs that are handed to users.
	ApplicationSecret string

	// TokenSource is where sessions come from; see package oauth. If nil, calls
	// have no session, unless their context brings one: see
	// [transport.WithToken].
	TokenSource oauth2.TokenSource

	// Circuit is how calls are signed; by default, [transport.Auto].
	Circuit transport.Circuit

	// PassErrors leaves API errors in the responses, where
	// okerrors.FromResponse finds them. By default, they are returned as
	// errors: *okerrors.Error, inside the *url.Error of the client.
	PassErrors bool

	// Retry says what is repeated and when; see its fields for the defaults.
	// Set Max to -1 to repeat nothing.
	Retry transport.Retry

	// Limiter is asked before each attempt, the repeat after a renewal of the
	// session included. If nil, there is no limit. For one limit per session or
	// method see [ratelimit.Keyed], for one that finds what the server allows,
	// [ratelimit.Adaptive].
	Limiter ratelimit.Limiter

	// LimitKey returns the key of a request for a Limiter that is a
	// [ratelimit.Keyer], such as [ratelimit.ByMethod]. If nil, the key is the
	// session. See [ratelimit.Limit]. With any other Limiter it is a fault.
	LimitKey func(*http.Request) string

	// Layers are the program's own layers, between the limiter and the signing:
	// they see each attempt before it has a session and a signature, and its
	// response without the secrets of the call. They do not see the repeat after
	// a renewal of the session. The first one sees the request first. They must
	// keep the contract of http.RoundTripper, and must not drop the RoundTripper
	// they are given. A nil Middleware, one that returns nil, and a
	// transport.Signer are faults.
	Layers []transport.Middleware

	// Logger gets one record per API call, after its response or error. If nil,
	// nothing is logged. The level is
	//
	//   - Debug for a success;
	//   - Warn for a success after a repeat, also after that with a renewed
	//     session, and for errors that say to sign in, to ask for a permission or
	//     to send less: okerrors.ErrSession, oauth.ErrSignIn,
	//     okerrors.ErrPermission, okerrors.ErrThrottled, ratelimit.ErrLimited,
	//     and status 429 and 503;
	//   - Error for other errors, and for a status of 400 or more.
	//
	// The attributes are method, the API method; circuit; attempts, how often
	// Retry has sent the call, 0 if it was rejected before; waited, how long it
	// waited for the limiter; duration, all in all, until the response header;
	// status, of HTTP; code, of an API error; and error, its text, with the
	// message of an API error. Circuit, status, code and error are left out if
	// there is none. Parameters and secrets are never logged. The record has the
	// context of the call. Uploads and other requests are not logged.
	Logger *slog.Logger

	// GroupToken is the token of a group's bot, for calls of the Graph API; see
	// [Graph]. If empty, such a call needs a context with one: see
	// [transport.WithGroupToken].
	GroupToken string

	// Hosts are the hosts of the API. By default, api.ok.ru. See
	// [transport.Signer].
	Hosts []string

	// Base sends the requests; if nil, [http.DefaultTransport] does. A base with
	// a transport.Signer or a transport.Group, as far as methods Unwrap show it,
	// is a fault.
	Base http.RoundTripper
}

// signer returns the Signer of cfg.
func (cfg Config) signer() transport.Signer {
	return transport.Signer{
		ApplicationKey:    cfg.ApplicationKey,
		ApplicationSecret: cfg.ApplicationSecret,
		TokenSource:       cfg.TokenSource,
		Circuit:           cfg.Circuit,
		Hosts:             cfg.Hosts,
	}
}

// group returns the Group of cfg.
func (cfg Config) group() transport.Group {
	return transport.Group{Token: cfg.GroupToken, Hosts: cfg.Hosts}
}

// check returns all that is wrong with cfg.
func (cfg Config) check() error {
	return errors.Join(
		cfg.checkSigner(),
		transport.Group{Token: cfg.GroupToken}.Check(), // the Signer checks Hosts
		cfg.checkBase(),
		cfg.checkLimit(),
		cfg.checkLayers(),
		notNil("Base", cfg.Base),
		cfg.Retry.Check(),
		cfg.checkRetry(),
	)
}

// checkSigner returns what is wrong with the Signer. Without a key it rejects the
// calls that it would sign, of which a bot makes none.
func (cfg Config) checkSigner() error {
	s := cfg.signer()
	if cfg.GroupToken != "" {
		s.ApplicationKey = cmp.Or(s.ApplicationKey, "none")
	}
	return s.Check()
}

// checkRetry returns what is wrong with Retry beyond what it checks itself.
func (cfg Config) checkRetry() error {
	if r := cfg.Retry; r.MinDelay > 0 && r.MaxDelay > 0 && r.MinDelay > r.MaxDelay {
		return fmt.Errorf("okru: Retry.MinDelay is %v and longer than Retry.MaxDelay, %v; swap them", r.MinDelay, r.MaxDelay)
	}
	return nil
}

// checkLimit returns what is wrong with Limiter and LimitKey together.
func (cfg Config) checkLimit() error {
	if err := notNil("Limiter", cfg.Limiter); err != nil {
		return err
	}
	if _, keyed := cfg.Limiter.(ratelimit.Keyer); cfg.LimitKey != nil && !keyed {
		return fmt.Errorf("okru: LimitKey is set, but the Limiter, %T, has no keys; make one by ratelimit.NewKeyed", cfg.Limiter)
	}
	return nil
}

// checkLayers returns which Layers are nil. transport.Chain would leave them
// out, but here they are a variable that was never set.
func (cfg Config) checkLayers() error {
	var faults []error
	for i, layer := range cfg.Layers {
		if layer == nil {
			faults = append(faults, fmt.Errorf("okru: Layers[%d] is nil; leave it out", i))
		}
	}
	return errors.Join(faults...)
}

// notNil reports a value that is a nil pointer inside an interface: it comes
// from a variable that was never set, and its methods panic at the first call.
func notNil(field string, value any) error {
	if roundtrip.IsTypedNil(value) {
		return fmt.Errorf("okru: %s is a nil %T; set it, or leave the field empty", field, value)
	}
	return nil
}

// checkBase reports a stack as the base of another one, which would sign, limit
// and repeat every call twice. A Group alone is reported as well: the stack has
// its own.
func (cfg Config) checkBase() error {
	if !roundtrip.IsTypedNil(cfg.Base) && roundtrip.HostsBelow(cfg.Base) != nil {
		return errors.New("okru: the base has a transport.Signer already, or a transport.Group; use that client as it is, or give the RoundTripper below these layers as the base, and set Config.GroupToken for Graph calls")
	}
	return nil
}

// view shows the settings without secrets.
func (cfg Config) view() redact.View {
	return redact.Show("okru.Config",
		slog.String("ApplicationKey", cfg.ApplicationKey),
		redact.Secret("ApplicationSecret", cfg.ApplicationSecret),
		slog.Bool("TokenSource", cfg.TokenSource != nil),
		slog.String("Circuit", cfg.Circuit.String()),
		slog.Bool("PassErrors", cfg.PassErrors),
		slog.Bool("Limiter", cfg.Limiter != nil),
		slog.Bool("LimitKey", cfg.LimitKey != nil),
		slog.Int("Layers", len(cfg.Layers)),
		slog.Bool("Logger", cfg.Logger != nil),
		redact.Secret("GroupToken", cfg.GroupToken),
		slog.Any("Hosts", cfg.Hosts),
		slog.Bool("Base", cfg.Base != nil),
	)
}

// Format implements [fmt.Formatter]: every verb prints the settings, without secrets.
func (cfg Config) Format(f fmt.State, verb rune) { cfg.view().Format(f, verb) }

// LogValue implements [slog.LogValuer] in the same way.
func (cfg Config) LogValue() slog.Value { return cfg.view().LogValue() }

// MarshalJSON returns what LogValue shows, as a JSON object.
func (cfg Config) MarshalJSON() ([]byte, error) { return cfg.view().MarshalJSON() }
