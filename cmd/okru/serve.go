package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// listenLoopback listens at address, which must be one of this machine: what
// listens here has no password.
func listenLoopback(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, usage("%q is no address to listen at; write 127.0.0.1:PORT, or :0 after it for any port", address)
	}
	if !isLoopback(host) {
		return nil, usage("%q is not an address of this machine only: use 127.0.0.1:PORT", address)
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", address)
}

// serve serves handlers until ctx ends, then breaks what is in progress.
func serve(ctx context.Context, handlers map[net.Listener]http.Handler) error {
	failed := make(chan error, len(handlers))
	var servers []*http.Server
	for listener, handler := range handlers {
		server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
		servers = append(servers, server)
		go func() { failed <- server.Serve(listener) }()
	}
	var err error
	running := len(servers)
	select {
	case <-ctx.Done():
	case err = <-failed:
		running--
	}
	for _, server := range servers {
		err = errors.Join(err, server.Close())
	}
	for range running {
		if e := <-failed; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// serveCommand serves handlers while a command runs in an environment, or until
// ctx ends if there is no command.
func (a *app) serveCommand(ctx context.Context, command, environ, more []string, handlers map[net.Listener]http.Handler) error {
	if len(command) == 0 {
		return serve(ctx, handlers)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- serve(ctx, handlers) }()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(environ, more...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.stdin, a.stdout, a.stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	if e, ok := errors.AsType[*exec.ExitError](err); ok && e.ExitCode() >= 0 {
		err = &exitError{e.ExitCode(), errors.New("")} // it has printed what is wrong
	}
	cancel()
	return errors.Join(err, <-served)
}

// ownHost passes requests on whose Host is this machine and port. A web page
// whose name was rebound to 127.0.0.1 after it was loaded sends its own name.
func ownHost(listener net.Listener, next http.Handler) http.Handler {
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, asked, err := net.SplitHostPort(r.Host)
		if err != nil {
			name, asked = r.Host, "80"
		}
		if !isLoopback(name) || asked != port {
			writeError(w, http.StatusMisdirectedRequest, "the Host of the request is not this machine")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// writeJSON writes a response.
func writeJSON(w http.ResponseWriter, status int, response any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(response) // the client is gone
}

// writeError writes an error of okru itself. It has no error_code: the API did
// not reject anything.
func writeError(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"error": "okru: " + text})
}
