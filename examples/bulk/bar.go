package main

import (
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// A bar shows progress on standard error, if it is a terminal.
type bar struct{ shown *progressbar.ProgressBar } // nil: no terminal

func newBar(total int, quiet bool) bar {
	if quiet || !term.IsTerminal(int(os.Stderr.Fd())) {
		return bar{}
	}
	return bar{progressbar.NewOptions(total,
		progressbar.OptionSetWriter(os.Stderr),
		progressbar.OptionSetDescription("users"),
		progressbar.OptionShowCount(),
	)}
}

// add is safe for use by many goroutines at once.
func (b bar) add(n int) {
	if b.shown != nil {
		_ = b.shown.Add(n) // a bar that cannot be drawn is no reason to stop
	}
}

func (b bar) clear() {
	if b.shown != nil {
		_ = b.shown.Clear()
	}
}
