package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/go-okru/okru/oktest"
)

func (a *app) methodsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "methods [WORD]...",
		Short: "List the methods of the API, with the session and permissions they need",
		Long: `Methods lists the methods that OK documents: those whose name or permission
contains each word, in upper or lower case.

The session is

  required    a call needs one
  optional    a call may have one
  prohibited  a call must have none
  external    required, unless the application runs inside OK
  any         not documented

Permissions are what the user must have granted to the application; see
okru login --scope.`,
		Example: `  okru methods
  okru methods photo upload
  okru methods PUBLISH_TO_STREAM`,
		RunE: func(_ *cobra.Command, words []string) error {
			var found []oktest.Method
			for _, m := range oktest.Methods() {
				if matches(m, words) {
					found = append(found, m)
				}
			}
			if len(found) == 0 {
				return &exitError{exitFailure, fmt.Errorf("no method has %q in its name or permissions", strings.Join(words, " "))}
			}
			w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "METHOD\tSESSION\tPERMISSIONS")
			for _, m := range found {
				fmt.Fprintf(w, "%s\t%s\t%s\n", m.Name, m.Session, cmp.Or(strings.Join(m.Scopes, " "), "-"))
			}
			return w.Flush()
		},
	}
}

// matches reports whether m has each word in its name or scopes.
func matches(m oktest.Method, words []string) bool {
	text := strings.ToLower(m.Name + " " + strings.Join(m.Scopes, " "))
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, strings.ToLower(word)) })
}

// compareName is for a binary search in the catalogue.
func compareName(m oktest.Method, name string) int { return cmp.Compare(m.Name, name) }

// completeMethods completes the first argument of a command to a method.
func completeMethods(_ *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, m := range oktest.Methods() {
		if len(args) == 0 && strings.HasPrefix(m.Name, begin) {
			names = append(names, m.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
