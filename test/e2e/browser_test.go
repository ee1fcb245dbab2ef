package e2e_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A browser is one page of a fresh Chromium, without cookies, history or
// cache.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string // of the page, on the console
}

// A step is something that a user does in a browser.
type step = chromedp.Action[chromedp.Void]

// patience is how long a step may take.
const patience = 20 * time.Second

// newBrowser starts a Chromium that ends with the test. See options for rules.
func newBrowser(t *testing.T, rules string) *browser {
	t.Helper()
	path := chromium(t)
	leaveNothing(t)
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options(path, rules)...)
	t.Cleanup(stop)
	// Events of a newer Chromium may be unknown to chromedp, which is no error.
	ctx, closePage := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(closePage)
	b := &browser{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatalf("%s does not start: %v", path, err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.wantNoComplaints)
	return b
}

// listen takes down what the browser does not like about a page: scripts that
// fail, and what breaks its Content-Security-Policy.
func (b *browser) listen(event any) {
	var complaint string
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelError || e.Entry.Source == log.EntrySourceNetwork { // such as a status that is meant to be
			return
		}
		complaint = e.Entry.Text
	case *runtime.EventExceptionThrown:
		complaint = e.ExceptionDetails.Text
	default:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, complaint)
}

func (b *browser) wantNoComplaints() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.t.Error("the browser complains:", c)
	}
}

// do takes one step after the other. It may be called from any goroutine.
func (b *browser) do(steps ...step) error {
	for i, s := range steps {
		if _, err := run(b, s); err != nil {
			return fmt.Errorf("step %d: %w, at the page %s", i+1, err, b.page())
		}
	}
	return nil
}

func run[T any](b *browser, a chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, a)
}

// must takes the steps, or fails the test.
func (b *browser) must(steps ...step) {
	b.t.Helper()
	if err := b.do(steps...); err != nil {
		b.t.Fatal(err)
	}
}

// get returns a of the page.
func get[T any](b *browser, a chromedp.Action[T]) T {
	b.t.Helper()
	value, err := run(b, a)
	if err != nil {
		b.t.Fatalf("%v, at the page %s", err, b.page())
	}
	return value
}

// eval returns the value of a JavaScript expression.
func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	return get(b, chromedp.Evaluate[T](expression))
}

// page returns what a user sees: the address and the text.
func (b *browser) page() string {
	text, err := run(b, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// wantText fails the test unless an element shows want.
func (b *browser) wantText(selector chromedp.CSS, want string) {
	b.t.Helper()
	if got := get(b, chromedp.Text(selector)); !strings.Contains(got, want) {
		b.t.Errorf("%s shows %q, want %q", selector, got, want)
	}
}

// waitText waits until the page shows want: the one that is on its way, not
// the one that it replaces.
func (b *browser) waitText(want string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(b.page(), want); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("the browser does not show %q, but %s", want, b.page())
		}
	}
}

func click(selector chromedp.CSS) step { return chromedp.Click(selector) }

func visible(selector chromedp.CSS) step { return chromedp.WaitVisible(selector) }

// leaveNothing gives the browser a temporary directory of its own, in which
// its profile is. In the end it removes that, and checks that no process of
// the browser is left.
func leaveNothing(t *testing.T) {
	t.Helper()
	adoptOrphans(t)
	dir, err := os.MkdirTemp("", "e2e-") // t.TempDir is too long for the names of sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	t.Cleanup(func() {
		wantNoOrphan(t)
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
}
