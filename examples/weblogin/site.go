package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// A site is what visitors see.
type site struct {
	ok       service
	public   string // the URL of the site, without a slash at the end
	client   *http.Client
	seal     seal
	visitors *visitors
}

func newSite(ok service, public, dir string) (*site, error) {
	client, err := okru.NewClient(ok.api) // one for all visitors: the session comes with the call
	if err != nil {
		return nil, err
	}
	key := make([]byte, 32)
	rand.Read(key)
	return &site{
		ok:       ok,
		public:   strings.TrimSuffix(public, "/"),
		client:   client,
		seal:     key,
		visitors: newVisitors(dir, ok.grant),
	}, nil
}

func (s *site) redirectURL() string { return s.public + "/back" }

func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /signin", s.signIn)
	mux.HandleFunc("GET /back", s.back)
	mux.HandleFunc("POST /signout", s.signOut)
	mux.Handle("GET /style.css", http.FileServerFS(style))
	return withHeaders(http.NewCrossOriginProtection().Handler(mux))
}

// withHeaders lets a page load nothing but the style sheet, and no cache keep
// what is meant for one visitor.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy",
			"default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// home shows the visitor's friends, or how to sign in.
func (s *site) home(w http.ResponseWriter, r *http.Request) {
	id := visitorID(r)
	if id == "" {
		show(w, http.StatusOK, page{})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	p, err := friendsPage(transport.WithTokenSource(ctx, s.visitors.source(id)), s.client)
	switch {
	case err == nil:
		show(w, http.StatusOK, p)
	case errors.Is(err, oauth.ErrSignIn):
		s.forget(w, r)
		show(w, http.StatusOK, page{Notice: "Your session at OK has ended. Please sign in again."})
	default:
		log.Print("friends: ", err)
		show(w, http.StatusBadGateway, page{Name: "you", Notice: "OK does not answer as it should. Please try again later."})
	}
}
