package main

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/callback"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// prices are the products of the game, and what they cost in the currency of
// OK. The page starts a payment with FAPI.UI.showPayment; the browser of the
// user chooses product and price there, so that they must be checked.
var prices = map[string]string{"sword": "100", "shield": "60"}

// A game is the page and the payments of an application.
type game struct {
	cfg    okru.Config
	client *http.Client // one for all users: the session comes with the call
	book   *book
}

func newGame(cfg okru.Config, book *book) (*game, error) {
	client, err := okru.NewClient(cfg)
	return &game{cfg, client, book}, err
}

func (g *game) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", g.page)
	mux.Handle("/payments", callback.Payments{
		ApplicationKey:    g.cfg.ApplicationKey,
		ApplicationSecret: g.cfg.ApplicationSecret,
		Accept:            g.accept,
		OnError:           func(err error) { log.Print("payment: ", err) },
	})
	return mux
}

// page is what OK opens for a user: the name of the user and what the user has
// bought.
func (g *game) page(w http.ResponseWriter, r *http.Request) {
	launch := r.URL.Query()
	if err := callback.VerifyLaunch(launch, g.cfg.ApplicationSecret); err != nil {
		http.Error(w, "open this page in OK", http.StatusForbidden)
		return
	}
	session := oauth.Static(launch.Get("session_key"), launch.Get("session_secret_key"))
	ctx := transport.WithTokenSource(r.Context(), session)
	me, err := okru.Call[struct{ Name string }](ctx, g.client, "users.getCurrentUser", nil)
	if err != nil {
		log.Print("page: ", err)
		http.Error(w, "OK does not respond", http.StatusBadGateway)
		return
	}
	goods, err := g.book.goods(r.Context(), launch.Get("logged_user_id"))
	if err != nil {
		log.Print("page: ", err)
		http.Error(w, "the game is not available", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprintf(w, "%s has bought %v\n", me.Name, goods)
}

// accept books a payment whose signature is right. Any error but a code makes
// OK send the payment again.
func (g *game) accept(ctx context.Context, p callback.Payment) error {
	if price, ok := prices[p.ProductCode]; !ok || p.Amount != price {
		return okerrors.CodeCallbackInvalidPayment
	}
	return g.book.add(ctx, p.Key(), p.UserID, p.ProductCode)
}
