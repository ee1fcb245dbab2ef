package oktest

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed methods.tsv
var methodTable string

// sessionNeed says whether a method takes a session.
type sessionNeed string

// As methods.tsv spells them.
const (
	sessionRequired   sessionNeed = "required"
	sessionOptional   sessionNeed = "optional"
	sessionProhibited sessionNeed = "prohibited"
	sessionExternal   sessionNeed = "external" // required, but of an application inside OK
	sessionAny        sessionNeed = "any"      // not documented: with and without
)

// demand is what a method asks of a caller.
type demand struct {
	session sessionNeed
	scopes  []string
}

// demands returns what the methods that OK documents ask for.
var demands = sync.OnceValue(func() map[string]demand {
	table := make(map[string]demand)
	for line := range strings.Lines(methodTable) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) != 3 {
			continue // a comment
		}
		d := demand{session: sessionNeed(fields[1])}
		if fields[2] != "-" {
			d.scopes = strings.Split(fields[2], ",")
		}
		table[fields[0]] = d
	}
	return table
})

// demandOf returns what method asks for, and whether there is such a method.
func (s *Server) demandOf(method string) (demand, bool) {
	if d, ok := demands()[method]; ok {
		return d, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return demand{session: sessionAny}, s.handlers[method] != nil
}

// needsSession reports whether a call must have a session.
func (d demand) needsSession(native bool) bool {
	return d.session == sessionRequired || d.session == sessionExternal && !native
}

// unsignedMethods are documented as calls without a signature, or were seen to
// work without, and so do even if [Settings.RequireSig] is set.
var unsignedMethods = map[string]bool{
	"auth.anonymLogin": true,
	"auth.login":       true,
	"sdk.init":         true,
}
