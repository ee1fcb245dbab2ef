package main

import (
	"fmt"
	"strings"
)

// markdown is the text of results.md.
func (r results) markdown(command string, quick bool) string {
	var text strings.Builder
	say := func(format string, a ...any) { fmt.Fprintf(&text, format+"\n\n", a...) }
	say("# Results\n\nMade by `%s` on %s. [How this is measured](../README.md).", command, machine())
	if quick {
		say("**A quick run: the figures mean little.**")
	}
	if r.calls != nil {
		say("## In a sentence\n\n%s", r.calls.sentence())
		say("## In short\n\nTimes a bare `http.Client`, and allocations above those of the bare client.\n\n%s", r.calls.summary())
		say("![The same as a chart](calls.svg)")
	}
	if musts := r.musts(); len(musts) > 0 {
		say("## Musts and goals\n\n%s", mustTable(musts))
	}
	if r.calls != nil {
		say("## Calls\n\nThe bare client is measured against itself, too: how far it is from 1 shows how noisy the machine was.\n\n%s", r.calls.table())
	}
	if r.calls != nil {
		say("## Over TLS\n\nThe whole stack against a bare client that sends the same, already signed bytes, over loopback:\n\n%s", r.calls.secureTable())
	}
	if r.limiters != nil {
		r.limiters.write(say)
	}
	if r.growth != nil {
		r.growth.write(say)
	}
	say("## Versions\n\n%s", versions())
	return strings.TrimRight(text.String(), "\n") + "\n"
}

// command is how to measure the same again.
func command(only string, quick bool) string {
	line := "go -C test/bench run ."
	if only != strings.Join(sections, ",") {
		line += " -only " + only
	}
	if quick {
		line += " -quick"
	}
	return line
}

func (l *limiters) write(say func(string, ...any)) {
	say("## Limiters\n\n1,000 goroutines call as fast as they are let, in real time, with a burst of 1. Calls that passed, of those that were allowed:\n\n%s", l.achieved())
	say("Calls above rate·t + 1 in the worst window, as the callers see it:\n\n%s", l.over())
	say("A call that need not wait:\n\n%s", l.cost())
}

func (g *growth) write(say func(string, ...any)) {
	say("## Growth\n\nGoroutines that call through one client, in memory. Time is that of the clock, for all of them together:\n\n%s", g.goroutineTable())
	say("Limiters for so many keys, in memory after a collection:\n\n%s", g.keyTable())
	say("What a call allocates above a bare client, which reads the response as a stream:\n\n%s", g.answerTable())
}
