package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-okru/okru/callback"
	okerrors "github.com/go-okru/okru/errors"
)

// poll answers messages until ctx ends. It learns of them by long polling.
func (b *bot) poll(ctx context.Context) error {
	if err := b.begin(ctx, ""); err != nil {
		return err
	}
	for event, err := range updates(ctx, b.client) {
		if err != nil {
			if err := b.isOver(ctx, err); err != nil {
				return ended(ctx, err)
			}
			continue
		}
		// The next long poll would acknowledge the event: it has to wait.
		for err := b.handle(ctx, event); err != nil; err = b.handle(ctx, event) {
			if err := b.isOver(ctx, err); err != nil {
				return ended(ctx, err)
			}
		}
	}
	return nil
}

// serveWebhook answers messages until ctx ends. OK sends them to the webhook,
// which listens at an address; public is its URL as OK sees it. Without a public
// URL, the webhook is for the fake.
func (b *bot) serveWebhook(ctx context.Context, listen, public, proxy string) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	webhook := b.webhook(proxy)
	if public == "" {
		public = "http://" + listener.Addr().String() + "/" + rand.Text()
		webhook.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	server := &http.Server{Handler: only(public, webhook), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if err = b.begin(ctx, public); err == nil {
		select {
		case err = <-served:
		case <-ctx.Done():
		}
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(ended(ctx, err), server.Shutdown(stop))
}

// webhook returns the handler of events. It responds with status 200 after a
// message was answered; otherwise OK repeats the event. It accepts events from
// the networks of OK only, by the header of the proxy, if there is one.
func (b *bot) webhook(proxy string) *callback.Webhook {
	w := &callback.Webhook{
		Handle:  b.handle,
		OnError: func(err error) { b.log.Warn("OK has to repeat an event", "error", err) },
	}
	if proxy != "" {
		w.ClientIP = func(r *http.Request) netip.Addr {
			ip, _ := netip.ParseAddr(r.Header.Get(proxy))
			return ip
		}
	}
	return w
}

// only returns h for the path of a URL, and no other path: OK signs no event, so
// that a secret in the path is what shows that OK sent it.
func only(public string, h http.Handler) http.Handler {
	u, err := url.Parse(public)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err != nil || r.URL.Path != cmp.Or(u.Path, "/") {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// begin subscribes, and then answers what was written before.
func (b *bot) begin(ctx context.Context, url string) error {
	for _, step := range []func() error{
		func() error { return subscribe(ctx, b.client, url) },
		func() error { return b.catchUpAll(ctx) },
	} {
		for err := step(); err != nil; err = step() {
			if err := b.isOver(ctx, err); err != nil {
				return ended(ctx, err)
			}
		}
	}
	return nil
}

// isOver waits before another attempt after err. It returns an error if there is
// no use in one: ctx has ended, or OK rejects the token or what the bot sends.
func (b *bot) isOver(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, okerrors.ErrSession) || errors.Is(err, okerrors.ErrInvalid) {
		return err
	}
	b.log.Warn("trying again", "error", err)
	wait(ctx, retryDelay)
	return ctx.Err()
}

// ended returns err, or nil if it came because ctx has ended.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// retryDelay is the pause after an error.
var retryDelay = 2 * time.Second
