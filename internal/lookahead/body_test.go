package lookahead_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-okru/okru/internal/lookahead"
)

var errBroken = errors.New("broken")

// ahead returns a response with that body, of which n bytes or a few more were
// read ahead.
func ahead(body io.Reader, n int) (*http.Response, *lookahead.Body) {
	resp := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body)}
	b := lookahead.Of(resp)
	for len(b.Head()) < n && b.More() {
	}
	return resp, b
}

var lengths = []int{0, 1, 15, 16, 17, 32, 33, 511, 512, 10_000, lookahead.Max - 1, lookahead.Max, lookahead.Max + 1, 3 * lookahead.Max}

func text(n int) string { return strings.Repeat("0123456789", n/10+1)[:n] }

// The reader reads the same, however much was read ahead, and in all the ways
// that iotest reads.
func TestRead(t *testing.T) {
	for _, length := range lengths {
		for _, n := range []int{0, 1, 33, 600, 2 * lookahead.Max} {
			for name, from := range map[string]func(io.Reader) io.Reader{
				"at once": func(r io.Reader) io.Reader { return r }, "half": iotest.HalfReader, "with its end": iotest.DataErrReader,
			} {
				resp, b := ahead(from(strings.NewReader(text(length))), n)
				if got, want := len(b.Head()), min(n, length, lookahead.Max); got < want || got > lookahead.Max || string(b.Head()) != text(length)[:got] {
					t.Errorf("%d bytes %s: %d were read ahead, want %d", length, name, got, want)
				}
				if length < 1000 && name != "with its end" { // DataErrReader does not end a Read of no bytes
					if err := iotest.TestReader(resp.Body, []byte(text(length))); err != nil {
						t.Errorf("%d bytes %s, %d ahead: %v", length, name, n, err)
					}
				} else if got, err := io.ReadAll(resp.Body); string(got) != text(length) || err != nil {
					t.Errorf("%d bytes %s, %d ahead: reads %d bytes, %v", length, name, n, len(got), err)
				}
			}
		}
	}
}

// Ahead reads from the beginning what the reader reads later, up to Max.
func TestAhead(t *testing.T) {
	for _, length := range lengths {
		for _, n := range []int{0, 1, 600} {
			resp, b := ahead(iotest.HalfReader(strings.NewReader(text(length))), n)
			for range 2 {
				got, err := io.ReadAll(b.Ahead())
				if want := text(min(length, lookahead.Max)); string(got) != want || err != nil {
					t.Errorf("%d bytes: Ahead reads %d bytes, %v; want %d", length, len(got), err, len(want))
				}
			}
			if got, err := io.ReadAll(resp.Body); string(got) != text(length) || err != nil {
				t.Errorf("%d bytes: reads %d bytes, %v", length, len(got), err)
			}
		}
	}
}

// An error of the original comes after what was read before it, and stays,
// even if the original would return it only once.
func TestReadError(t *testing.T) {
	for _, length := range []int{0, 5, 32, 100, 1000} {
		for _, n := range []int{0, 1, 50, 5000} {
			resp, b := ahead(&once{strings.NewReader(text(length)), errBroken, io.EOF}, n)
			for range 2 {
				if n > length && b.More() {
					t.Errorf("%d bytes, %d ahead: More after the end", length, n)
				}
			}
			got, err := io.ReadAll(resp.Body)
			if string(got) != text(length) || err != errBroken {
				t.Errorf("%d bytes, %d ahead: reads %d bytes, %v", length, n, len(got), err)
			}
			if _, again := resp.Body.Read(make([]byte, 1)); n > length && again != errBroken {
				t.Errorf("%d bytes, %d ahead: the second error is %v", length, n, again)
			}
			resp, _ = ahead(&once{strings.NewReader(text(length)), io.EOF, errBroken}, n)
			if got, err := io.ReadAll(resp.Body); string(got) != text(length) || err != nil {
				t.Errorf("%d bytes, %d ahead: reads %d bytes, %v; want no error after the end", length, n, len(got), err)
			}
		}
	}
}

// More returns false for a body that has ended, also at first.
func TestMoreAtTheEnd(t *testing.T) {
	for _, from := range []io.Reader{strings.NewReader(""), iotest.ErrReader(errBroken)} {
		_, b := ahead(from, 0)
		for n := range 2 {
			if b.More() {
				t.Errorf("More returns true at call %d for a body without a byte", n+1)
			}
		}
	}
}

// once returns err at the end of the Reader, and then after that.
type once struct {
	*strings.Reader
	err, then error
}

func (o *once) Read(p []byte) (int, error) {
	n, err := o.Reader.Read(p)
	if err == io.EOF {
		err, o.err = o.err, o.then
	}
	return n, err
}

// A reader that returns nothing does not hang More.
func TestEmptyReads(t *testing.T) {
	slow := &empty{n: 99, r: strings.NewReader("x")}
	if _, b := ahead(slow, 1); string(b.Head()) != "x" {
		t.Errorf("99 empty reads: %q was read ahead", b.Head())
	}
	stuck := &empty{n: 1 << 30}
	_, b := ahead(stuck, 1)
	if got, err := io.ReadAll(b.Ahead()); len(got) != 0 || err != nil || 1<<30-stuck.n > 1000 {
		t.Errorf("Ahead reads %q, %v after %d empty reads", got, err, 1<<30-stuck.n)
	}
}

// empty returns nothing n times before it reads r.
type empty struct {
	n int
	r io.Reader
}

func (e *empty) Read(p []byte) (int, error) {
	if e.n > 0 {
		e.n--
		return 0, nil
	}
	return e.r.Read(p)
}

// The verdict is kept with the body, and is lost where the body is wrapped.
func TestVerdict(t *testing.T) {
	resp, b := ahead(strings.NewReader("x"), 1)
	if v, ok := lookahead.Of(resp).Verdict(); v != nil || ok {
		t.Errorf("before the inspection: %v, %v", v, ok)
	}
	b.SetVerdict(nil)
	if v, ok := lookahead.Of(resp).Verdict(); v != nil || !ok {
		t.Errorf("without an error: %v, %v", v, ok)
	}
	b.SetVerdict(errBroken)
	if v, ok := lookahead.Of(resp).Verdict(); v != errBroken || !ok || lookahead.Of(resp) != b {
		t.Errorf("with an error: %v, %v", v, ok)
	}
	resp.Body = io.NopCloser(resp.Body)
	if v, ok := lookahead.Of(resp).Verdict(); v != nil || ok {
		t.Errorf("wrapped: %v, %v", v, ok)
	}
}

// Wrap leaves what is no body, what is a connection, and what is a Body already.
func TestWrap(t *testing.T) {
	for name, resp := range map[string]*http.Response{
		"none":         {StatusCode: http.StatusOK},
		"empty":        {StatusCode: http.StatusOK, Body: http.NoBody},
		"a connection": {StatusCode: http.StatusSwitchingProtocols, Body: io.NopCloser(strings.NewReader("x"))},
		"a Body":       {StatusCode: http.StatusOK, Body: new(lookahead.Body)},
	} {
		before := resp.Body
		var b lookahead.Body
		if b.Wrap(resp); resp.Body != before {
			t.Errorf("%s: Wrap replaces the body by %T", name, resp.Body)
		}
	}
	resp := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("text"))}
	var b lookahead.Body
	if b.Wrap(resp); resp.Body != io.ReadCloser(&b) || !b.More() || string(b.Head()) != "text" {
		t.Errorf("the body is a %T, and %q was read ahead", resp.Body, b.Head())
	}
}

// The note that a header has no code is kept until there is a verdict.
func TestNoCode(t *testing.T) {
	_, b := ahead(strings.NewReader("x"), 1)
	if b.HasNoCode() {
		t.Error("a header that was not searched has no code")
	}
	b.SetNoCode()
	if _, judged := b.Verdict(); judged || !b.HasNoCode() {
		t.Errorf("after SetNoCode: HasNoCode is %t, judged %t", b.HasNoCode(), judged)
	}
	b.SetVerdict(nil)
	if _, judged := b.Verdict(); !judged || b.HasNoCode() {
		t.Errorf("after SetVerdict: HasNoCode is %t, judged %t", b.HasNoCode(), judged)
	}
}

func TestCloseOnce(t *testing.T) {
	c := &closes{Reader: strings.NewReader("{}")}
	resp := &http.Response{Body: c}
	b := lookahead.Of(resp)
	b.More()
	for range 2 {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := b.Read(make([]byte, 1)); c.n != 1 || err != errBroken {
		t.Errorf("closed %d times; Read after Close: %v, want the error of the original", c.n, err)
	}
}

type closes struct {
	*strings.Reader
	n int
}

func (c *closes) Read(p []byte) (int, error) {
	if c.n > 0 {
		return 0, errBroken
	}
	return c.Reader.Read(p)
}

func (c *closes) Close() error { c.n++; return nil }

func TestFormatShowsNothing(t *testing.T) {
	_, b := ahead(strings.NewReader("CANARY"), 6)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(format, b); got != "okru: the body of a response" {
			t.Errorf("%s prints %s", format, got)
		}
	}
}

// WriteTo writes what Read would read, and stops where the writer fails.
func TestWriteTo(t *testing.T) {
	for _, length := range lengths {
		for _, n := range []int{0, 1, 33, 600, 2 * lookahead.Max} {
			resp, _ := ahead(iotest.HalfReader(strings.NewReader(text(length))), n)
			var got strings.Builder
			written, err := io.Copy(noEmptyWriter{t, &got}, resp.Body)
			if got.String() != text(length) || written != int64(length) || err != nil {
				t.Errorf("%d bytes, %d ahead: copied %d of %d bytes, %v", length, n, got.Len(), written, err)
			}
			if again, err := io.Copy(&got, resp.Body); again != 0 || err != nil {
				t.Errorf("%d bytes, %d ahead: then copied %d bytes, %v", length, n, again, err)
			}
		}
	}
	for _, n := range []int{0, 1, 100} {
		broken, _ := ahead(io.MultiReader(strings.NewReader(text(40)), iotest.ErrReader(errBroken)), n)
		if n, err := io.Copy(io.Discard, broken.Body); n != 40 || !errors.Is(err, errBroken) {
			t.Errorf("a body that breaks after 40 bytes: copied %d, %v", n, err)
		}
	}
	closed, b := ahead(strings.NewReader(text(40)), 20)
	closed.Body.Close()
	if n, err := io.Copy(io.Discard, closed.Body); n != int64(40-len(b.Head())) || err != nil {
		t.Errorf("after Close: copied %d bytes, %v; want what the original has, %d bytes", n, err, 40-len(b.Head()))
	}
	resp, _ := ahead(strings.NewReader(text(40)), 20)
	if n, err := io.Copy(shortWriter{}, resp.Body); n != 3 || err != io.ErrShortWrite {
		t.Errorf("a writer that takes 3 bytes: copied %d, %v", n, err)
	}
	if rest, err := io.ReadAll(resp.Body); string(rest) != text(40)[3:] || err != nil {
		t.Errorf("the rest is %q, %v", rest, err)
	}
}

// A writer that reports an impossible count does not break the reader.
func TestWriteToABrokenWriter(t *testing.T) {
	for _, n := range []int{-1, 6} {
		resp, _ := ahead(strings.NewReader("12345"), 1)
		if _, err := io.Copy(countWriter(n), resp.Body); err == nil {
			t.Errorf("no error for a writer that reports %d bytes of 5", n)
		}
	}
}

// A countWriter reports that it has written so many bytes.
type countWriter int

func (n countWriter) Write([]byte) (int, error) { return int(n), nil }

// A shortWriter takes three bytes and returns no error.
type shortWriter struct{}

func (shortWriter) Write(p []byte) (int, error) { return min(3, len(p)), nil }

// A noEmptyWriter must not be given nothing: a server would send its header.
type noEmptyWriter struct {
	t  *testing.T
	to io.Writer
}

func (w noEmptyWriter) Write(p []byte) (int, error) {
	if len(p) == 0 {
		w.t.Error("Write of no bytes")
	}
	return w.to.Write(p)
}
