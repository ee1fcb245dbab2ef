package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-okru/okru/oktest"
)

func (a *app) fakeCommand() *cobra.Command {
	var f faker
	cmd := &cobra.Command{
		Use:   "fake [-- COMMAND [ARGUMENT]...]",
		Short: "Run a fake of the service, for programs in any language",
		Long: `Fake runs a fake of OK on this machine, in memory: the API, OAuth and the pages
of the sign-in, and uploads. It is as strict as OK is documented to be, and
explains wrong signatures. It prints the environment for a shell, with a user who
is signed in and has granted every permission, and runs until it is interrupted.

With a COMMAND, fake runs it in that environment, ends when it does, and has its
exit code.

The control page is for browsers and programs: users and their sessions, faults,
limits and the journal of calls. See its first page, or GET /help.`,
		Example: `  okru fake
  okru fake -- python3 -m unittest
  curl -d method=friends.get -d code=8 -d times=2 $OKRU_CONTROL_URL/faults
  curl $OKRU_CONTROL_URL/calls`,
		RunE: func(cmd *cobra.Command, command []string) error { return f.run(cmd.Context(), a, command) },
	}
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:0", "the `address` of the service, on this machine")
	cmd.Flags().StringVar(&f.control, "control", "127.0.0.1:0", "the `address` of the control page, on this machine")
	return cmd
}

// A faker is how okru fake runs.
type faker struct{ listen, control string }

func (f faker) run(ctx context.Context, a *app, command []string) error {
	listener, err := listenLoopback(ctx, f.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	controlListener, err := listenLoopback(ctx, f.control)
	if err != nil {
		return err
	}
	defer controlListener.Close()
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	c := newControl(srv)
	env := fakeEnvironment(srv, listener, controlListener, c.newUser("anna", "password", allScopes()))
	c.env = env

	if len(command) == 0 {
		f.print(a, env)
	}
	return a.serveCommand(ctx, command, os.Environ(), env, map[net.Listener]http.Handler{
		listener: srv.Handler(), controlListener: ownHost(controlListener, c.handler()),
	})
}

// allScopes returns the permissions that methods need.
func allScopes() []string {
	var scopes []string
	for _, m := range oktest.Methods() {
		scopes = append(scopes, m.Scopes...)
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// fakeEnvironment returns the environment of programs that use the fake.
func fakeEnvironment(srv *oktest.Server, service, control net.Listener, s session) []string {
	app := srv.App()
	return []string{
		"OKRU_API_URL=http://" + service.Addr().String(),
		"OKRU_CONTROL_URL=http://" + control.Addr().String(),
		"OKRU_APPLICATION_ID=" + app.ID,
		"OKRU_APPLICATION_KEY=" + app.Key,
		"OKRU_APPLICATION_SECRET=" + app.Secret,
		"OKRU_ACCESS_TOKEN=" + s.AccessToken,
		"OKRU_SESSION_SECRET_KEY=" + s.SessionSecret,
	}
}

// print prints the environment, ready to be pasted. The secrets are those of
// the fake, and of no use elsewhere.
func (f faker) print(a *app, env []string) {
	fmt.Fprintf(a.stdout, "# A fake of OK. Ctrl+C ends it. Paste this into the shell of your program:\n")
	for _, line := range env {
		name, value, _ := strings.Cut(line, "=")
		fmt.Fprintf(a.stdout, "export %s='%s'\n", name, value)
	}
	fmt.Fprintf(a.stdout, "# The user is anna, with the password \"password\". The control page is OKRU_CONTROL_URL.\n")
}
