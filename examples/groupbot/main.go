// Groupbot is the bot of a group in OK. It answers each message of a user once,
// however often it learns of the message, and whatever fails meanwhile: see
// bot.go.
//
// It learns of messages by a webhook, or with the flag -poll by long polling.
// Without settings it runs against a fake of the service inside the program, to
// which two users write. With OKRU_GROUP_TOKEN in the environment, the token from
// the settings of a group, it uses the real one. A webhook then needs the flag
// -url, and -proxy for the proxy that adds https.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"

	"github.com/go-okru/okru"
)

func main() {
	poll := flag.Bool("poll", false, "learn of messages by long polling, not by a webhook")
	listen := flag.String("listen", "localhost:8911", "`address` at which the webhook listens")
	public := flag.String("url", "", "`URL` of the webhook for OK, with a secret in its path")
	proxy := flag.String("proxy", "", "`header` in which the proxy before the webhook sends the address of its client, such as X-Real-IP")
	flag.Parse()
	if err := run(*poll, *listen, *public, *proxy); err != nil {
		fmt.Fprintln(os.Stderr, "groupbot:", err)
		os.Exit(1)
	}
}

func run(poll bool, listen, public, proxy string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cfg := okru.Config{GroupToken: os.Getenv("OKRU_GROUP_TOKEN")}
	switch {
	case cfg.GroupToken == "":
		demo := newDemo(os.Stdout)
		defer demo.close()
		listen = "localhost:0"
		cfg.GroupToken, cfg.Base = demo.bot.Token(), demo.fake.Transport()
		ctx = demo.start(ctx, os.Getenv("OKRU_EXAMPLE_ONCE") != "")
	case public == "" && !poll:
		return fmt.Errorf("set -url to the address under which OK reaches the webhook, such as https://bot.example.com/%s, or use -poll", rand.Text())
	}
	b, err := newBot(cfg, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	if poll {
		return b.poll(ctx)
	}
	return b.serveWebhook(ctx, listen, public, proxy)
}
