// Payments is a game inside OK that sells swords and shields. What to learn
// from it:
//
//   - OK opens the page of a game with signed parameters. Only if
//     callback.VerifyLaunch accepts them is the user in them signed in, and the
//     session in them can be used for calls; see game.go.
//   - OK asks the game to book a payment with a signed request, and sends the
//     request again if it does not get the response. callback.Payments checks
//     the signature and writes the responses that OK expects; see game.go.
//   - The payment and what was paid for are stored in one transaction, under
//     Payment.Key. So a process may be killed at any moment: a payment that OK
//     considers accepted is booked, and booked once; see book.go and
//     kill_test.go.
//
// Without settings, the program plays both sides: a fake of OK opens the page,
// and sends payments, repeats and forgeries; see demo.go. With
// OKRU_APPLICATION_KEY and OKRU_APPLICATION_SECRET in the environment it serves
// the real OK: put a proxy with https in front of it, and in the settings of
// the application enter the URL of the page, and that of /payments as the
// callback URL.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/go-okru/okru"
)

func main() {
	listen := flag.String("listen", "localhost:8910", "`address` to listen at")
	file := flag.String("db", "payments.db", "`file` for the payments")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen, *file); err != nil {
		fmt.Fprintln(os.Stderr, "payments:", err)
		os.Exit(1)
	}
}

// run serves OK if the environment has the settings, and otherwise the fake.
func run(ctx context.Context, listen, file string) error {
	cfg := okru.Config{
		ApplicationKey:    os.Getenv("OKRU_APPLICATION_KEY"),
		ApplicationSecret: os.Getenv("OKRU_APPLICATION_SECRET"),
	}
	if cfg.ApplicationKey == "" || os.Getenv("OKRU_EXAMPLE_ONCE") != "" {
		return demonstrate(ctx)
	}
	if cfg.ApplicationSecret == "" {
		return errors.New("OKRU_APPLICATION_SECRET is empty; set it to the secret key of the application")
	}
	book, err := openBook(ctx, file)
	if err != nil {
		return err
	}
	defer book.close()
	game, err := newGame(cfg, book)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("page:     http://%[1]v/\npayments: http://%[1]v/payments\n", listener.Addr())
	return serve(ctx, listener, game)
}

// serve serves the game until ctx ends. Payments in progress are completed.
func serve(ctx context.Context, listener net.Listener, game *game) error {
	server := &http.Server{Handler: game.handler(), ReadTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return server.Shutdown(ctx)
	}
}
