package callback

// This file serves webhooks. OK waits 5 seconds for a response and repeats an
// event that got none, so the handling of an event and the response to it are
// separate: webhook_runs.go keeps what is in progress.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/go-okru/okru/internal/redact"
)

// botNetworks are the networks from which OK calls the webhooks of group bots.
// See https://apiok.ru/en/dev/graph_api/bot_api.
var botNetworks = []netip.Prefix{
	netip.MustParsePrefix("217.20.145.192/28"),
	netip.MustParsePrefix("217.20.151.160/28"),
	netip.MustParsePrefix("217.20.153.48/28"),
}

const (
	// maxEvent bounds an event, in bytes.
	maxEvent = 1 << 20

	// responseTime is how long the response may take. OK waits for 5 s.
	responseTime = 4500 * time.Millisecond

	defaultTimeout = time.Minute // of Handle
)

// A Webhook is an [http.Handler] for the events that OK sends to applications
// and group bots, each as a POST of JSON.
//
//   - It accepts requests from the networks in Allow only (else status 403).
//     OK signs no event: this is all that protects a webhook, besides a secret
//     in its path.
//   - It answers the confirmation that OK sends to a new webhook.
//   - It calls Handle with each event. It responds with status 200 after Handle
//     returned nil, and with 503 after an error or after 4.5 seconds. OK then
//     sends the event again, for 8 hours.
//
// A Handle that takes longer than 4.5 seconds is not interrupted. If OK repeats
// the event meanwhile, the repeat waits for the same Handle. If OK repeats it
// after Handle returned nil, the response is 200 and Handle is not called
// again; the last 1,000 such events are remembered. Every event is therefore
// handled at least once, and a program that must not handle one twice must
// recognize it by its own ids.
//
// The zero Webhook handles nothing. A Webhook must not be copied after first
// use. It is safe for concurrent use. See
// https://apiok.ru/en/apps/features/webhook_events and
// https://apiok.ru/en/dev/graph_api/bot_api.
type Webhook struct {
	// Confirmation is the text of the response to a request of type
	// CONFIRMATION, from the settings of the application. Bots need none.
	Confirmation string

	// Allow are the networks from which events are accepted. If empty, they are
	// the documented networks of OK's bots. Those of application webhooks are
	// not documented, so applications must set Allow.
	Allow []netip.Prefix

	// ClientIP returns the address of the client, for programs behind a proxy:
	// from a header that this proxy sets, and that clients cannot set. If nil,
	// the address is that of the connection.
	ClientIP func(*http.Request) netip.Addr

	// Handle handles an event; required. It is called by many goroutines at
	// once. Its context has the values of the request but not its end; it ends
	// after Timeout.
	Handle func(context.Context, json.RawMessage) error

	// Timeout bounds Handle. Zero means one minute, negative no bound.
	Timeout time.Duration

	// Background makes the response 200 before Handle is called. An event is
	// lost if Handle fails or the program ends.
	Background bool

	// OnError, if not nil, is called with each error of Handle, with a panic of
	// Handle as an error with its stack, and with a setting that is missing. It
	// is called by many goroutines at once.
	OnError func(error)

	runs runs
}

// ServeHTTP implements [http.Handler].
func (h *Webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		http.Error(w, "a webhook is a POST", http.StatusMethodNotAllowed)
		return
	}
	if !h.isAllowed(r) {
		http.Error(w, "this address may not send events", http.StatusForbidden)
		return
	}
	event, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
	if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok {
		http.Error(w, fmt.Sprintf("an event has at most %d bytes", tooLong.Limit), http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil || !json.Valid(event) || !bytes.HasPrefix(bytes.TrimLeft(event, " \t\r\n"), []byte("{")) {
		http.Error(w, "an event is a JSON object", http.StatusBadRequest)
		return
	}
	var head struct {
		Type string `json:"webhookType"`
	}
	if json.Unmarshal(event, &head) == nil && head.Type == "CONFIRMATION" {
		h.confirm(w)
		return
	}
	h.event(w, r, event)
}

// isAllowed reports whether r comes from one of the networks.
func (h *Webhook) isAllowed(r *http.Request) bool {
	var client netip.Addr
	if h.ClientIP != nil {
		client = h.ClientIP(r)
	} else if a, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		client = a.Addr()
	}
	client = client.Unmap().WithZone("")
	networks := h.Allow
	if len(networks) == 0 {
		networks = botNetworks
	}
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return unmap(n).Contains(client) })
}

// unmap returns the IPv4 network of an IPv4-mapped one.
func unmap(n netip.Prefix) netip.Prefix {
	if n.Addr().Is4In6() && n.Bits() >= 96 {
		return netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
	}
	return n
}

// confirm writes the confirmation code.
func (h *Webhook) confirm(w http.ResponseWriter) {
	if h.Confirmation == "" {
		h.report(errors.New("okru: callback.Webhook: OK asks for a confirmation; set Confirmation to the text in the settings of the application"))
		http.Error(w, "no confirmation is set", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, h.Confirmation)
}

// event handles an event and responds.
func (h *Webhook) event(w http.ResponseWriter, r *http.Request, event json.RawMessage) {
	if h.Handle == nil {
		h.report(errors.New("okru: callback.Webhook: Handle is nil; set it to the function that handles an event"))
		http.Error(w, "no handler is set", http.StatusServiceUnavailable)
		return
	}
	// A repeat is recognized by its content, so that it need not be known where
	// each kind of event has its id.
	id := sha256.Sum256(event)
	run, isNew := h.runs.join(id)
	if isNew {
		go h.run(context.WithoutCancel(r.Context()), id, run, event)
	}
	if h.Background {
		w.WriteHeader(http.StatusOK)
		return
	}
	late := time.NewTimer(responseTime)
	defer late.Stop()
	select {
	case <-run.done:
	case <-late.C:
		h.runs.markLate(run)
	// OK has closed the connection, and will send the event again.
	case <-r.Context().Done():
		h.runs.markLate(run)
	}
	if !run.succeeded() {
		http.Error(w, "the event was not handled in time; send it again", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// run calls Handle.
func (h *Webhook) run(ctx context.Context, id runID, run *run, event json.RawMessage) {
	err := errors.New("okru: callback.Webhook: Handle ended its goroutine")
	defer func() {
		if value := recover(); value != nil {
			err = redact.NewPanicError("okru: callback.Webhook: Handle", value)
		}
		h.runs.end(id, run, err)
		h.report(err)
	}()
	ctx, cancel := h.bounded(ctx)
	defer cancel()
	err = h.Handle(ctx, event)
}

// bounded returns ctx with the end that Timeout sets.
func (h *Webhook) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	switch {
	case h.Timeout < 0:
		return context.WithCancel(ctx)
	case h.Timeout == 0:
		return context.WithTimeout(ctx, defaultTimeout)
	}
	return context.WithTimeout(ctx, h.Timeout)
}

// report calls OnError. A panic of OnError is dropped: it would end the program
// where Handle runs in a goroutine of its own.
func (h *Webhook) report(err error) {
	if err != nil && h.OnError != nil {
		defer func() { _ = recover() }()
		h.OnError(err)
	}
}

// view shows the fields without secrets.
func (h *Webhook) view() redact.View {
	return redact.Show("callback.Webhook",
		redact.Secret("Confirmation", h.Confirmation),
		slog.Any("Allow", h.Allow),
		slog.Bool("Handle", h.Handle != nil),
		slog.Duration("Timeout", h.Timeout),
		slog.Bool("Background", h.Background),
	)
}

// Format implements [fmt.Formatter]: it prints the settings without the
// confirmation.
func (h *Webhook) Format(f fmt.State, verb rune) { h.view().Format(f, verb) }

// LogValue implements [slog.LogValuer].
func (h *Webhook) LogValue() slog.Value { return h.view().LogValue() }

// MarshalJSON implements [encoding/json.Marshaler].
func (h *Webhook) MarshalJSON() ([]byte, error) { return h.view().MarshalJSON() }
