package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oktest"
)

// A demo is the game and a fake of OK.
type demo struct {
	fake *oktest.Server
	game *httptest.Server
}

// demonstrate shows what OK sends to the game, and what comes of it.
func demonstrate(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "payments")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	book, err := openBook(ctx, filepath.Join(dir, "payments.db"))
	if err != nil {
		return err
	}
	defer book.close()
	fake := oktest.NewServer(oktest.App{})
	defer fake.Close()
	app := fake.App()
	game, err := newGame(okru.Config{ApplicationKey: app.Key, ApplicationSecret: app.Secret, Base: fake.Transport()}, book)
	if err != nil {
		return err
	}
	server := httptest.NewServer(game.handler())
	defer server.Close()
	return demo{fake, server}.play(ctx)
}

func (d demo) play(ctx context.Context) error {
	fmt.Println("OK is a fake inside this program; set OKRU_APPLICATION_KEY for the real one.")
	anna := d.fake.NewUser("anna", "password")
	forged := anna.Launch()
	forged.Set("logged_user_id", "580000000777")
	cheap := anna.Payment("sword", 100)
	cheap.Add("amount", "1") // after OK has signed the right amount
	for _, step := range []struct {
		name string
		do   func() (string, error)
	}{
		{"launch", func() (string, error) { return d.open(ctx, anna.Launch()) }},
		{"launch as another user", func() (string, error) { return d.open(ctx, forged) }},
		{"payment of a sword", func() (string, error) { return d.pay(ctx, anna.Payment("sword", 100), 0) }},
		{"response lost", func() (string, error) { return d.pay(ctx, anna.Payment("shield", 60), 1) }},
		{"wrong price", func() (string, error) { return d.pay(ctx, anna.Payment("sword", 1), 0) }},
		{"second amount added", func() (string, error) { return d.pay(ctx, cheap, 0) }},
		{"launch", func() (string, error) { return d.open(ctx, anna.Launch()) }},
	} {
		result, err := step.do()
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Printf("%-23s %s\n", step.name+":", result)
	}
	return nil
}

// open opens the page as OK does, and returns what it shows.
func (d demo) open(ctx context.Context, params url.Values) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.game.URL+"/?"+params.Encode(), nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d, %s", resp.StatusCode, bytes.TrimSpace(text)), err
}

// pay asks the game to book a payment, and returns what came of it.
func (d demo) pay(ctx context.Context, params url.Values, lost int) (string, error) {
	tx, err := d.fake.Pay(ctx, oktest.PaymentRequest{
		URL: d.game.URL + "/payments", Params: params, Lost: lost, Delay: 100 * time.Millisecond,
	})
	if err != nil {
		return "", err
	}
	last := tx.Attempts[len(tx.Attempts)-1]
	if tx.Accepted {
		return fmt.Sprintf("accepted, requests: %d", len(tx.Attempts)), nil
	}
	return fmt.Sprintf("canceled, %v", last.Code), nil
}
