package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oktest"
)

func (a *app) callCommand() *cobra.Command {
	var c caller
	cmd := &cobra.Command{
		Use:   "call METHOD [name=value]...",
		Short: "Call a method and print the response as JSON",
		Long: `Call calls a method of the API and prints the response as JSON, or as a table.

Calls are signed, and have the session of the environment or of okru login
unless the method takes none. Reads, and whatever else may safely be repeated,
are repeated after failures that pass. Session keys in a response are printed as
"***".

With --all, call asks for all pages of a method that has an anchor, one after
the other, and prints each as a JSON document of its own. Set count to the
length of a page.`,
		Example: `  okru call users.getCurrentUser
  okru call users.getInfo uids=570000000001,570000000002 fields=name,location --table
  okru call group.getMembers uid=54000000000001 count=100 --all --table`,
		Args:              callArgs,
		ValidArgsFunction: completeMethods,
		RunE: func(cmd *cobra.Command, args []string) error {
			method, pairs, err := parseCall(args)
			if err != nil {
				return err
			}
			return c.run(cmd.Context(), a, method, values(pairs))
		},
	}
	cmd.Flags().BoolVar(&c.table, "table", false, "print a table instead of JSON")
	cmd.Flags().BoolVar(&c.all, "all", false, "ask for all pages")
	cmd.Flags().BoolVar(&c.noSession, "no-session", false, "call without a session, signed with the application's secret")
	return cmd
}

// A caller is how okru call calls and prints.
type caller struct{ table, all, noSession bool }

func (c caller) run(ctx context.Context, a *app, method string, params url.Values) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	session, err := c.session(a, s, method)
	if err != nil {
		return err
	}
	client, err := s.client(a, session)
	if err != nil {
		return err
	}
	return c.print(a.stdout, c.pages(ctx, client, method, params))
}

// session returns the session for a call of method, or nil if it takes none.
func (c caller) session(a *app, s settings, method string) (oauth2.TokenSource, error) {
	need := needOf(method)
	if c.noSession || need == "prohibited" {
		return nil, nil
	}
	session, err := s.session(a)
	if err == nil && session == nil && need == "required" {
		err = &exitError{exitSignIn, fmt.Errorf("%s needs a session, and there is none: run okru login, or set OKRU_ACCESS_TOKEN", method)}
	}
	return session, err
}

// needOf returns whether a method takes a session, as the catalogue has it;
// "" if the catalogue does not have the method.
func needOf(method string) string {
	list := oktest.Methods()
	i, ok := slices.BinarySearchFunc(list, method, compareName)
	if !ok {
		return ""
	}
	return list[i].Session
}

// pages calls the method, once or for all pages.
func (c caller) pages(ctx context.Context, client *http.Client, method string, params url.Values) iter.Seq2[json.RawMessage, error] {
	if c.all {
		return okru.Pages[json.RawMessage](ctx, client, method, params)
	}
	return func(yield func(json.RawMessage, error) bool) {
		yield(okru.Call[json.RawMessage](ctx, client, method, params))
	}
}

// print prints the responses. Those before an error are printed too.
func (c caller) print(w io.Writer, pages iter.Seq2[json.RawMessage, error]) error {
	var t table
	for page, err := range pages {
		if err != nil {
			return errors.Join(err, t.flush(w))
		}
		page = maskSessions(page)
		if c.table {
			t.add(page)
		} else if err := printJSON(w, page); err != nil {
			return err
		}
	}
	return t.flush(w)
}
