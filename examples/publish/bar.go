package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// A bar shows how much of all posts is done: bytes of pictures, and one for each
// post.
type bar struct {
	out        io.Writer // nil: it is not shown
	total, sum int64
	drawn      time.Time
}

// terminal returns standard error if it is a terminal, or else nil.
func terminal() io.Writer {
	if info, err := os.Stderr.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return os.Stderr
}

func newBar(posts []post, out io.Writer) *bar {
	b := &bar{out: out}
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
	if b.out == nil || time.Since(b.drawn) < 100*time.Millisecond {
		return
	}
	b.drawn = time.Now()
	part := float64(b.sum+m.weight(i)+sent) / float64(b.total)
	hashes := strings.Repeat("#", int(30*part))
	fmt.Fprintf(b.out, "\r\x1b[K[%-30s] %3.0f %%  %s, picture %d of %d", hashes, 100*part, m.name, i+1, len(m.pictures))
}

// finish counts m.
func (b *bar) finish(m post) { b.sum += m.weight(len(m.pictures)) + 1 }

// clear removes the bar, to write something in its line.
func (b *bar) clear() {
	if b.out != nil {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}
