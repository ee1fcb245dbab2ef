// Weblogin is a small site with "sign in with OK": the authorization code
// flow in a browser, a session that renews itself, and a page with the
// visitor's friends.
//
// Without settings it runs against a fake of the service inside the program,
// login pages included. With OKRU_APPLICATION_ID, OKRU_APPLICATION_KEY and
// OKRU_APPLICATION_SECRET in the environment it uses the real one; the address
// that it prints as redirect URI must then be registered with the application.
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
)

func main() {
	listen := flag.String("listen", "localhost:8910", "`address` to listen at")
	public := flag.String("url", "", "`URL` under which browsers reach the site, if there is a proxy in front of it")
	dir := flag.String("dir", "", "`directory` that keeps the sessions; by default, a temporary one")
	flag.Parse()
	if err := run(*listen, *public, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "weblogin:", err)
		os.Exit(1)
	}
}

func run(listen, public, dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	once := os.Getenv("OKRU_EXAMPLE_ONCE") != "" // check yourself and end: see selfCheck
	if once {
		listen, public = "localhost:0", ""
	}
	dir, remove, err := keepIn(dir)
	if err != nil {
		return err
	}
	defer remove()
	ok := newService(once)
	defer ok.close()
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	if public == "" {
		public = addressOf(listen, listener)
	}
	site, err := newSite(ok, public, dir)
	if err != nil {
		return err
	}
	fmt.Printf("the site:     %s/\nredirect URI: %s\n%s\n", public, site.redirectURL(), ok.hint)
	if once {
		return serve(ctx, listener, site, func() error { return selfCheck(ctx, public, os.Stdout) })
	}
	return serve(ctx, listener, site, func() error { <-ctx.Done(); return nil })
}

// keepIn returns the directory for the sessions, a temporary one if dir is
// empty, and what to do with it in the end.
func keepIn(dir string) (path string, remove func(), err error) {
	if dir != "" {
		return dir, func() {}, nil
	}
	dir, err = os.MkdirTemp("", "weblogin-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// addressOf returns the URL of a listener, with the host that was asked for:
// a redirect URI must be the registered one to the letter.
func addressOf(listen string, listener net.Listener) string {
	host, _, _ := net.SplitHostPort(listen)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	if host == "" {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// serve serves the site until work is done.
func serve(ctx context.Context, listener net.Listener, site *site, work func() error) error {
	server := &http.Server{Handler: site.handler(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-served:
		return err
	case err := <-done:
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return errors.Join(err, server.Shutdown(ctx))
	}
}
