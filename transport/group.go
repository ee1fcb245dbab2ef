package transport

// This file has the layer of the Graph API. It does for a group's token what the
// Signer does for a session, without a signature and without a renewal: a group
// token does not expire.

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
)

// A Group gives calls of the Graph API the token of a group's bot. See
// https://apiok.ru/en/dev/graph_api.
//
// Graph calls are requests for a path under /graph/ on one of Hosts. Any other
// request passes through untouched, so that no other host sees the token. To the
// query of a private copy of a Graph call the Group adds access_token, and
// nothing else: Graph calls are not signed, and have no application key. Neither
// the caller's request nor an error, a trace or an API error shows the token.
//
// These calls are rejected before anything is sent, with an error whose method
// Terminal() bool returns true:
//
//   - one without a token;
//   - one whose URL has a token, since package net/http prints that URL;
//   - one with a duplicate parameter, a bad percent-escape or a raw semicolon in
//     its query;
//   - one over plain http, except to a loopback host;
//   - one to which a host that is not one of Hosts has redirected;
//   - a request on one of Hosts whose path begins like that of a call and is not
//     one;
//   - every call, if a setting is wrong.
//
// A GET is safe to repeat. A call by any other verb is a write: it is sent once,
// also if a kept connection breaks, and its error matches
// okerrors.ErrOutcomeUnknown if it may have run.
//
// A Group belongs below a [Signer] and a [Retry], which leave Graph calls to it.
// It prints without its token, unless it is in an unexported field of another
// struct: package fmt then prints the fields by itself.
type Group struct {
	// Token is the token of the group's bot, from the settings of the group. If
	// empty, the context of each call must have one: see [WithGroupToken].
	Token string

	// Hosts are the hosts of the API. By default, api.ok.ru. See
	// [Signer.Hosts].
	Hosts []string
}

// Wrap returns the layer over next; nil means [http.DefaultTransport]. It
// copies g: later changes have no effect. The layer is safe for concurrent use
// by multiple goroutines.
func (g Group) Wrap(next http.RoundTripper) http.RoundTripper {
	return &groupLayer{hostLayer: newHostLayer(next, g.Hosts, g.Check()), settings: g, own: newGroupKey(g.Token)}
}

// Check returns what is wrong with g, all faults joined, or nil. The layer
// answers every Graph call with it. A missing token is no fault, since the
// context of a call may have one.
func (g Group) Check() error {
	_, err := okcall.ParseHosts(g.Hosts)
	return errors.Join(checkSpace("GroupToken", g.Token), err)
}

// view shows the fields without the token.
func (g Group) view() redact.View {
	return redact.Show("transport.Group", redact.Secret("Token", g.Token), slog.Any("Hosts", g.Hosts))
}

// Format implements [fmt.Formatter]: every verb prints the settings, without the token.
func (g Group) Format(f fmt.State, verb rune) { g.view().Format(f, verb) }

// LogValue implements [slog.LogValuer] in the same way.
func (g Group) LogValue() slog.Value { return g.view().LogValue() }

// MarshalJSON returns what LogValue shows, as a JSON object.
func (g Group) MarshalJSON() ([]byte, error) { return g.view().MarshalJSON() }

// groupLayer is the layer of a Group.
type groupLayer struct {
	hostLayer
	settings Group
	own      *groupKey // of the settings, for calls whose context has no token
}

// Format hides the settings, which package fmt would print with their token.
func (g *groupLayer) Format(f fmt.State, verb rune) { g.settings.Format(f, verb) }

// A groupKey is the token of a group, and what finds it in a text. It is made once
// for the token of the settings.
type groupKey struct {
	token   string                 // empty: there is none
	secrets redact.Secrets         // the token alone
	mayShow func(text string) bool // see redact.Secrets.Filter
}

// newGroupKey returns the groupKey of a token, which may be empty.
func newGroupKey(token string) *groupKey {
	secrets := redact.Secrets{token}
	return &groupKey{token: token, secrets: secrets, mayShow: secrets.Filter()}
}

// shows reports whether text has the token.
func (k *groupKey) shows(text string) bool { return k.mayShow(text) && k.secrets.In(text) }

// AddsGroupToken marks the layer, so that okru.Graph finds it.
func (*groupLayer) AddsGroupToken() {}

// RoundTrip implements [http.RoundTripper].
func (g *groupLayer) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, _, err := g.RoundTripVerdict(r)
	return resp, err
}

// RoundTripVerdict implements [roundtrip.Verdicter].
func (g *groupLayer) RoundTripVerdict(r *http.Request) (*http.Response, roundtrip.Verdict, error) {
	kind := g.Hosts.KindOf(r.URL)
	if kind == okcall.REST && g.fault == nil {
		return g.Send(r) // the usual case below a Signer, which has checked r
	}
	options := okcall.FromContext(r.Context())
	isGraph := kind == okcall.Graph
	isStray := !isGraph && options.IsCaller() && r.URL != nil && okcall.IsGraphPath(r.URL.Path)
	if err := g.check(r, isGraph, isGraph, isStray); err != nil {
		roundtrip.CloseRequest(r)
		return nil, roundtrip.Verdict{}, terminal(err)
	}
	if !isGraph {
		return g.Send(r)
	}
	key, err := g.key(r.URL, options)
	if err != nil {
		roundtrip.CloseRequest(r)
		return nil, roundtrip.Verdict{}, terminal(err)
	}
	if options.IsCaller() {
		options.Caller.Sign(key.secrets.Clean)
	}
	sent := withGroupToken(r, key.token)
	trace := newTracer(options, 1)
	trace.attempt(g.Hosts, r, sent, Auto)
	resp, v, err := g.send(r, sent, options, key)
	trace.done(resp, v, err)
	return resp, v, err
}

// key returns the token of a Graph call with these options, which may be nil,
// if its URL can be sent with it.
func (g *groupLayer) key(u *url.URL, o *okcall.Options) (*groupKey, error) {
	key := g.own
	if o != nil && o.GroupToken != nil {
		key = newGroupKey(*o.GroupToken)
	}
	if key.token == "" {
		return nil, reject("a Graph call needs the token of a group's bot: set GroupToken, or use transport.WithGroupToken")
	}
	if err := checkSpace("the group token", key.token); err != nil {
		return nil, err
	}
	return key, checkGraphURL(u, key)
}

// checkGraphURL returns an error if u, the URL of a Graph call, has a token
// or a query that the API would not read as net/url does.
func checkGraphURL(u *url.URL, key *groupKey) error {
	params, err := url.ParseQuery(u.RawQuery)
	switch {
	case err != nil:
		return reject("query: it has a bad percent-escape or a raw semicolon")
	case params.Has(param.AccessToken) || u.User != nil || key.shows(u.String()):
		return reject("the URL of a Graph call has a token, which errors and logs would show; leave it out, and set GroupToken or use transport.WithGroupToken")
	}
	for name, values := range params {
		if len(values) > 1 {
			return reject("query: duplicate parameter %q; send a list as one value joined by commas", name)
		}
	}
	return nil
}

// withGroupToken returns the private copy of r that has the token.
func withGroupToken(r *http.Request, token string) *http.Request {
	sent, u := *r, *r.URL
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += param.AccessToken + "=" + url.QueryEscape(token)
	sent.URL = &u
	if isGraphWrite(r) && isReplayed(r) {
		sendOnce(&sent)
	}
	return &sent
}

// isGraphWrite reports whether r, a Graph call, is not known to be safe to
// repeat.
func isGraphWrite(r *http.Request) bool {
	choice, _ := okcall.MayRepeat(r)
	return choice != okcall.Yes
}

// send sends the private copy of r and inspects the response.
func (g *groupLayer) send(r, sent *http.Request, o *okcall.Options, key *groupKey) (*http.Response, roundtrip.Verdict, error) {
	redactIn := func(h http.Header) { redactHeader(h, key.mayShow, func() redact.Secrets { return key.secrets }) }
	if trace := traceToHide(sent.Context()); trace != nil {
		sent = hideFromTrace(trace, sent, r, redactIn)
	}
	resp, _, _, err := sendAttempt(&g.Base, sent, o.Timeout(), func() bool { return isGraphWrite(r) })
	if err != nil {
		return nil, roundtrip.Verdict{}, roundtrip.WithContext(sent.Context(), redactError(err, key.secrets))
	}
	resp.Request = r
	redactIn(resp.Header)
	redactStatus(resp, key.mayShow, func() redact.Secrets { return key.secrets })
	v := roundtrip.Verdict{Inspected: true}
	if e, failed := okerrors.FromResponse(resp); failed {
		v.Err = maskError(resp, e, key.secrets)
	}
	return resp, v, nil
}
