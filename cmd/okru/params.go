package main

import (
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// A pair is a parameter of a call.
type pair struct{ name, value string }

// secretNames are the parameters that must not be in arguments, with what to do
// instead.
var secretNames = map[string]string{
	"access_token":           "set OKRU_ACCESS_TOKEN, or run okru login",
	"session_key":            "set OKRU_ACCESS_TOKEN, or run okru login",
	"session_secret_key":     "set OKRU_SESSION_SECRET_KEY; it is never sent",
	"application_secret_key": "set OKRU_APPLICATION_SECRET; it is never sent",
	"client_secret":          "set OKRU_APPLICATION_SECRET; it is never sent",
	"refresh_token":          "run okru login",
	"auth_token":             "run okru login",
	"password":               "run okru login",
	"sig":                    "leave it out: okru signs the call",
}

// parsePairs returns the parameters in args, each of the form name=value, in
// their order.
func parsePairs(args []string) ([]pair, error) {
	var pairs []pair
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		switch advice, secret := secretNames[name]; {
		case secret:
			return nil, usage("parameter %s does not belong into arguments: %s", name, advice)
		case !ok || name == "":
			return nil, usage("%q is no parameter; write name=value", arg)
		case slices.ContainsFunc(pairs, func(p pair) bool { return p.name == name }):
			return nil, usage("duplicate parameter %s; write a list as one value, joined by commas", name)
		}
		pairs = append(pairs, pair{name, value})
	}
	return pairs, nil
}

// parseCall returns the method and the parameters that args name.
func parseCall(args []string) (method string, pairs []pair, err error) {
	method = args[0]
	group, name, ok := strings.Cut(method, ".")
	if !ok || group == "" || name == "" || strings.ContainsAny(method, "=/ ") {
		return "", nil, usage("%q is no method; write it as GROUP.NAME, such as users.getInfo", method)
	}
	pairs, err = parsePairs(args[1:])
	if err == nil && slices.ContainsFunc(pairs, func(p pair) bool { return p.name == "method" }) {
		err = usage("the method is the first argument; leave out the parameter method")
	}
	return method, pairs, err
}

// callArgs checks the arguments of commands that take METHOD name=value…
var callArgs = usageArgs(cobra.MinimumNArgs(1))

func values(pairs []pair) url.Values {
	v := make(url.Values, len(pairs))
	for _, p := range pairs {
		v.Set(p.name, p.value)
	}
	return v
}
