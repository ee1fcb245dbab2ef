package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// A bar shows on standard error, if that is a terminal, how much of all posts is
// done: bytes of pictures, and one for each post.
type bar struct {
	shown      bool
	total, sum int64
	drawn      time.Time
}

func newBar(posts []post) *bar {
	b := new(bar)
	info, err := os.Stderr.Stat()
	b.shown = err == nil && info.Mode()&os.ModeCharDevice != 0
	for _, m := range posts {
		b.total += m.weight(len(m.pictures)) + 1
	}
	return b
}

// weight returns the bytes of the first n pictures.
func (m post) weight(n int) (bytes int64) {
	for _, pic := range m.pictures[:n] {
		bytes += pic.size
	}
	return bytes
}

// show draws the bar while picture i of m is uploaded, a few times a second.
func (b *bar) show(m post, i int, sent int64) {
	if b.shown && time.Since(b.drawn) > 100*time.Millisecond {
		b.drawn = time.Now()
		part := float64(b.sum+m.weight(i)+sent) / float64(b.total)
		fmt.Fprintf(os.Stderr, "\r\x1b[K[%-30s] %3.0f %%  %s, picture %d of %d", strings.Repeat("#", int(30*part)), 100*part, m.name, i+1, len(m.pictures))
	}
}

// finish counts m.
func (b *bar) finish(m post) { b.sum += m.weight(len(m.pictures)) + 1 }

// clear removes the bar, to write something in its line.
func (b *bar) clear() {
	if b.shown {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}
