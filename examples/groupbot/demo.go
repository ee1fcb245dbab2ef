package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-okru/okru/oktest"
)

// A demo is a fake of OK with two users who write to the group.
type demo struct {
	fake *oktest.Server
	bot  *oktest.Bot
	out  io.Writer
	done chan struct{}
}

func newDemo(out io.Writer) *demo {
	fake := oktest.NewServer(oktest.App{})
	return &demo{fake: fake, bot: fake.NewBot("54000000000001"), out: out, done: make(chan struct{})}
}

// start lets the users write. The context that it returns ends with ctx or, if
// once is set, after each message has its answer.
func (d *demo) start(ctx context.Context, once bool) context.Context {
	ctx, stop := context.WithCancel(ctx)
	// The first answer is sent, and its response is lost.
	d.fake.Inject(oktest.Fault{Method: "graph/me/messages/{id}", Match: isPost, AfterRun: true, Reset: true, Times: 1})
	anna, boris := d.fake.NewUser("anna", "password"), d.fake.NewUser("boris", "password")
	d.bot.Write(anna, "Hello!") // before the bot runs
	go func() {
		defer close(d.done)
		if once {
			defer stop()
		}
		shown := d.show(ctx, 0, 2)
		d.bot.Write(boris, "Are you open on Sunday?")
		d.bot.Write(anna, "And on Monday?")
		d.show(ctx, shown, 6)
	}()
	return ctx
}

func isPost(c oktest.Call) bool { return c.HTTPMethod == "POST" }

// show prints the messages after the first n until there are total of them, and
// returns how many there are.
func (d *demo) show(ctx context.Context, n, total int) int {
	for n < total && ctx.Err() == nil {
		for _, m := range d.bot.Messages("")[n:] {
			who, _, _ := strings.Cut(m.SenderID, ":")
			fmt.Fprintf(d.out, "%-6s %s\n", who, m.Text)
			n++
		}
		wait(ctx, 20*time.Millisecond)
	}
	return n
}

// close ends the demo, after the context of start has ended.
func (d *demo) close() {
	<-d.done
	d.fake.Close()
}
