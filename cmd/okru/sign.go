package main

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

func (a *app) signCommand() *cobra.Command {
	var expect string
	var noSession bool
	cmd := &cobra.Command{
		Use:   "sign METHOD [name=value]...",
		Short: "Show how a call is signed, step by step, and what is wrong with another signature",
		Long: `Sign shows how a call is signed: its parameters in order, the text that is
hashed, the signature, and the request. The call is not sent. Secrets and
sessions are printed as "***".

With --expect, sign compares the signature with one that your program made for
the same call, and explains the mistake if it knows one: error 104 of the API,
PARAM_SIGNATURE, does not.

The signature belongs to exactly these parameters: give those that your program
sends. Sign adds application_key, method and format=json.`,
		Example: `  okru sign users.getInfo uids=570000000001 fields=name
  okru sign users.getInfo uids=570000000001 --expect 232C8EB921951C4DBA9B72606F9DDB4C`,
		Args:              callArgs,
		ValidArgsFunction: completeMethods,
		RunE: func(_ *cobra.Command, args []string) error {
			method, pairs, err := parseCall(args)
			if err != nil {
				return err
			}
			s, err := a.settings()
			if err != nil {
				return err
			}
			call, err := a.newSigned(s, method, pairs, noSession)
			if err != nil {
				return err
			}
			call.explain(a.stdout, s.endpoint())
			if expect == "" {
				return nil
			}
			return call.compare(a.stdout, expect)
		},
	}
	cmd.Flags().StringVar(&expect, "expect", "", "the `signature` that your program made")
	cmd.Flags().BoolVar(&noSession, "no-session", false, "sign with the application's secret, as a call without a session is")
	return cmd
}

// credentials are the secrets of which one signs a call.
type credentials struct {
	token         string // the session; empty: none
	application   string // the application's secret key
	sessionSecret string
}

// circuit returns how a call with c is signed.
func (c credentials) circuit() (transport.Circuit, error) {
	switch {
	case c.token == "" && c.application == "":
		return 0, usage("set OKRU_APPLICATION_SECRET, with which a call without a session is signed, or OKRU_ACCESS_TOKEN")
	case c.token == "":
		return transport.Sessionless, nil
	case c.application != "":
		return transport.ServerServer, nil
	case c.sessionSecret != "":
		return transport.ClientServer, nil
	}
	return 0, usage("set OKRU_APPLICATION_SECRET or OKRU_SESSION_SECRET_KEY: one of them signs a call with a session")
}

// A signed call is what okru sign explains.
type signed struct {
	pairs   []pair // in the order of the arguments, complete
	by      credentials
	circuit transport.Circuit
	secret  string
	sig     string
}

// newSigned signs a call as package transport does.
func (a *app) newSigned(s settings, method string, pairs []pair, noSession bool) (*signed, error) {
	if s.applicationKey == "" {
		return nil, usage("set OKRU_APPLICATION_KEY, the public key of your application")
	}
	call := &signed{by: credentials{application: s.applicationSecret}}
	if !noSession && needOf(method) != "prohibited" {
		session, err := s.session(a)
		if err != nil {
			return nil, err
		}
		if err := call.by.setSession(session); err != nil {
			return nil, err
		}
	}
	var err error
	if call.circuit, err = call.by.circuit(); err != nil {
		return nil, err
	}
	call.pairs = complete(pairs, s.applicationKey, method)
	call.secret = call.by.secret(call.circuit)
	call.sig = transport.Signature(values(call.pairs), call.secret)
	return call, nil
}

func (c *credentials) setSession(session oauth2.TokenSource) error {
	if session == nil {
		return nil
	}
	t, err := session.Token()
	if err != nil {
		return err
	}
	c.token, c.sessionSecret = t.AccessToken, oauth.SessionSecret(t)
	return nil
}

// secret returns what is appended to the text of a call on circuit.
func (c credentials) secret(circuit transport.Circuit) string {
	switch circuit {
	case transport.ServerServer:
		return transport.DeriveSecret(c.token, c.application)
	case transport.ClientServer:
		return c.sessionSecret
	}
	return c.application
}

// complete returns the parameters with those that every call has, unless they
// are there.
func complete(pairs []pair, key, method string) []pair {
	for _, p := range []pair{{"application_key", key}, {"method", method}, {"format", "json"}} {
		if !slices.ContainsFunc(pairs, func(q pair) bool { return q.name == p.name }) {
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// signedPairs returns the parameters that are signed, sorted by name.
func signedPairs(pairs []pair) []pair {
	sorted := slices.DeleteFunc(slices.Clone(pairs), func(p pair) bool { return p.name == "resig" })
	slices.SortFunc(sorted, func(p, q pair) int { return strings.Compare(p.name, q.name) })
	return sorted
}

// join returns the text of the pairs that is hashed, without the secret.
func join(pairs []pair) string {
	var b strings.Builder
	for _, p := range pairs {
		b.WriteString(p.name + "=" + p.value)
	}
	return b.String()
}

const mask = "***"

// secretText describes the secret of each circuit.
var secretText = map[transport.Circuit]string{
	transport.ServerServer: "MD5(access_token + application_secret_key), in lower-case hex",
	transport.ClientServer: "the session_secret_key of the session",
	transport.Sessionless:  "the application_secret_key, since there is no session",
}

// explain prints each step.
func (c *signed) explain(w io.Writer, endpoint string) {
	sorted := signedPairs(c.pairs)
	fmt.Fprintf(w, "Circuit %v: the secret is %s.\n\n", c.circuit, secretText[c.circuit])
	fmt.Fprintln(w, "1. The parameters, sorted by name; sig, resig and access_token are not among them:")
	for _, p := range sorted {
		fmt.Fprintf(w, "   %s=%s\n", p.name, p.value)
	}
	fmt.Fprintf(w, "\n2. Joined without anything in between, as they are before they are percent-encoded, then the secret:\n   %s%s\n", join(sorted), mask)
	fmt.Fprintf(w, "\n3. MD5 of these bytes in UTF-8, in lower-case hex, is sig:\n   %s\n", c.sig)
	body := values(c.pairs).Encode() + "&sig=" + c.sig
	if c.by.token != "" {
		body += "&access_token=" + mask
	}
	fmt.Fprintf(w, "\n4. The request:\n   POST %s/fb.do\n   Content-Type: application/x-www-form-urlencoded\n\n   %s\n", endpoint, body)
}

// compare prints whether sig is the signature, or why it is not.
func (c *signed) compare(w io.Writer, sig string) error {
	fmt.Fprintln(w)
	if sig == c.sig {
		fmt.Fprintln(w, "The signature is right.")
		return nil
	}
	fmt.Fprintf(w, "The signature %s is another one.\n", url.QueryEscape(sig))
	mistakes := c.mistakes(sig)
	for _, m := range mistakes {
		fmt.Fprintf(w, "  - %s\n", m)
	}
	if mistakes == nil {
		fmt.Fprintln(w, "  No known mistake, nor several of them, leads to it. Compare the text of step 2 with what your program hashes;\n"+
			"  the parameters must be those that it sends, and the secrets in the environment those that it uses.")
	}
	return &exitError{exitDiffers, fmt.Errorf("the signature is not that of the call")}
}
