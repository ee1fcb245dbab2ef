package lookahead_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-okru/okru/internal/lookahead"
)

var errBroken = errors.New("broken")

// looked returns an answer with that body, of which much more than a glance, or
// no more, was looked at.
func looked(r io.Reader, far bool) (*http.Response, *lookahead.Body) {
	resp := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(r)}
	b := lookahead.Of(resp)
	b.Glance()
	for far && !b.Ended() && len(b.Head()) < 2000 {
		b.More()
	}
	return resp, b
}

// What is written is what would be read, however it came in, and however much
// of it was read before.
func TestWriteTo(t *testing.T) {
	long := strings.Repeat("0123456789", 1000)
	for _, text := range []string{"", "true", `{"uid":"1","name":"Ann Brown"}`, long} {
		for _, far := range []bool{false, true} {
			for _, read := range []int{0, 3, 100} {
				for name, from := range map[string]func(io.Reader) io.Reader{
					"at once": func(r io.Reader) io.Reader { return r }, "in bytes": iotest.OneByteReader, "with its end": iotest.DataErrReader,
				} {
					resp, _ := looked(from(strings.NewReader(text)), far)
					before, _ := io.ReadAll(io.LimitReader(resp.Body, int64(read)))
					var after bytes.Buffer
					n, err := io.Copy(&after, resp.Body)
					if got := string(before) + after.String(); got != text || err != nil || n != int64(after.Len()) {
						t.Errorf("%d bytes %s, far %v, %d read: %d bytes, n = %d, %v", len(text), name, far, read, len(got), n, err)
					}
				}
			}
		}
	}
}

func TestWriteToError(t *testing.T) {
	for _, far := range []bool{false, true} {
		for _, text := range []string{"", "12345", strings.Repeat("x", 100)} {
			resp, _ := looked(io.MultiReader(strings.NewReader(text), iotest.ErrReader(errBroken)), far)
			var got bytes.Buffer
			if n, err := io.Copy(&got, resp.Body); got.String() != text || n != int64(len(text)) || err != errBroken {
				t.Errorf("far %v: wrote %q, %d, %v; want %q and the error of the body", far, &got, n, err, text)
			}
		}
		resp, _ := looked(strings.NewReader("what nobody takes"), far)
		if _, err := io.Copy(refusing{}, resp.Body); err != errBroken {
			t.Errorf("far %v: %v; want the error of the writer", far, err)
		}
	}
}

// A writer's own io.EOF is an error like any other, and a wrong count does not
// spoil what is still to be read.
func TestWriteToBadWriter(t *testing.T) {
	for _, far := range []bool{false, true} {
		for _, bad := range []writes{{0, io.EOF}, {3, io.EOF}, {-1, nil}, {1 << 20, nil}, {3, nil}} {
			text := strings.Repeat("0123456789", 10)
			resp, _ := looked(strings.NewReader(text), far)
			n, err := io.Copy(bad, resp.Body)
			if err == nil || bad.err != nil && err != bad.err {
				t.Errorf("far %v: after a Write of %d, %v io.Copy returns %d, %v", far, bad.n, bad.err, n, err)
			}
			if rest, err := io.ReadAll(resp.Body); string(rest) != text[n:] || err != nil {
				t.Errorf("far %v: after a Write of %d, %v there is %q, %v; want what follows %d bytes", far, bad.n, bad.err, rest, err, n)
			}
		}
	}
}

type writes struct {
	n   int
	err error
}

func (w writes) Write([]byte) (int, error) { return w.n, w.err }

type refusing struct{}

func (refusing) Write([]byte) (int, error) { return 0, errBroken }

// A long answer is not carried through memory of ours.
func TestWriteToLeavesIt(t *testing.T) {
	own := &writer{Reader: strings.NewReader(strings.Repeat("x", 1000))}
	resp, _ := looked(own, false)
	if n, err := io.Copy(io.Discard, resp.Body); n != 1000 || err != nil || !own.asked {
		t.Errorf("copied %d, %v, by the body's own WriteTo: %v", n, err, own.asked)
	}
}

type writer struct {
	*strings.Reader
	asked bool
}

func (w *writer) WriteTo(to io.Writer) (int64, error) {
	w.asked = true
	return w.Reader.WriteTo(to)
}

// A connection and no body at all are not wrapped.
func TestOver(t *testing.T) {
	body := io.NopCloser(strings.NewReader("x"))
	for name, resp := range map[string]*http.Response{
		"nil": {StatusCode: 200}, "NoBody": {StatusCode: 200, Body: http.NoBody}, "a connection": {StatusCode: 101, Body: body},
	} {
		was := resp.Body
		new(lookahead.Body).Over(resp)
		if resp.Body != was {
			t.Errorf("%s: was wrapped", name)
		}
	}
	resp := &http.Response{StatusCode: 200, Body: body}
	new(lookahead.Body).Over(resp)
	once := resp.Body
	new(lookahead.Body).Over(resp)
	if once == body || resp.Body != once {
		t.Error("a body is not wrapped once")
	}
}
