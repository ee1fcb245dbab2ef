// Okru calls the OK.ru (Odnoklassniki) REST API from a shell, and helps
// programs in any language that call it: it explains signatures, runs a fake
// of the service, and signs calls in a proxy.
//
// Run okru --help, or see the page README.md.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv}
	os.Exit(a.run(ctx, os.Args[1:]))
}

// An app is what the commands use of the world around them. Tests replace it.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	base           http.RoundTripper // nil: the network
	open           func(page string) // shows a page; nil: in the browser
	configDir      string            // for sessions; empty: that of the user
}

// run runs the command line args and returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.command()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && err.Error() != "" {
		fmt.Fprintln(a.stderr, "okru:", describe(err))
	}
	return exitCode(err)
}

// command returns the root of the tree of commands.
func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "okru",
		Short: "Call the OK.ru API from a shell, and help programs that call it",
		Long: `Okru calls the OK.ru (Odnoklassniki) REST API from a shell, and helps programs
in any language that call it.

Credentials are read from the environment, never from arguments, which other
users of the machine can see:

  OKRU_APPLICATION_KEY     the public key of the application
  OKRU_APPLICATION_SECRET  its secret key
  OKRU_APPLICATION_ID      its id, a number; for okru login, and to renew a session
  OKRU_ACCESS_TOKEN        the session; if not set, that of okru login
  OKRU_SESSION_SECRET_KEY  the secret of that session, if it has one
  OKRU_GROUP_TOKEN         the token of a group's bot; for okru proxy
  OKRU_API_URL             the service; if not set, https://api.ok.ru

Exit codes:

  0  success
  1  a failure that no other code describes, such as that of the network
  2  wrong arguments or settings; nothing was sent
  3  the API rejected the call
  4  the user must sign in: run okru login, or set OKRU_ACCESS_TOKEN
  5  a write failed that may have run: check before you repeat it
  6  okru sign --expect: the signature is another one`,
		Example: `  okru fake                                  # a service to try all this with
  okru methods friends                       # what is there to call?
  okru call users.getInfo uids=570000000001 fields=name,location --table
  okru sign users.getInfo uids=570000000001  # step by step
  okru login                                 # sign in to OK, with your own application`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usageArgs(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%w", err) })
	root.AddCommand(a.signCommand(), a.callCommand(), a.methodsCommand(), a.loginCommand(), a.logoutCommand(), a.fakeCommand(), a.proxyCommand())
	return root
}

// version returns the version that the program was installed at.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
