package main

import (
	"runtime/debug"
	"slices"

	"github.com/go-okru/okru/rttest"
)

// subject is a RoundTripper to check, set up as its documentation advises.
type subject struct {
	name   string
	module string // empty: ours
	setup  string // how it is set up
	kit    rttest.Kit

	// once reports that it sends each request once, and returns what comes
	// back. Rules about what else may be done cannot apply to it.
	once bool

	// documented is what it breaks on purpose, and where that is documented.
	documented map[rttest.Clause]string
}

// subjects returns all there are, ours first.
func subjects() []subject { return slices.Concat(ours(), peers()) }

// inapplicable are the rules that cannot apply to what sends a request once.
var inapplicable = map[rttest.Clause]string{
	rttest.BodyFresh:       "it sends each request once",
	rttest.ConnectionFreed: "it sends each request once",
	rttest.ResponseDrained: "it drops no response",
}

// version returns the version of the module in this program.
func (s subject) version() string {
	if s.module == "" {
		return "this tree"
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == s.module {
				return dep.Version
			}
		}
	}
	return "unknown"
}
