package okru_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-okru/okru"
)

// answerFrom returns a transport that always answers with what r reads.
func answerFrom(r io.Reader) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		req.Body.Close()
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(r), Request: req}, nil
	}
}

// endless reads the same byte until it has had enough.
type endless struct {
	c    byte
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.read > 1<<20 {
		return 0, errors.New("enough")
	}
	for i := range p {
		p[i] = e.c
	}
	e.read += len(p)
	return len(p), nil
}

// What is not JSON is not read to its end, which may never come. A little more
// is read to keep the connection.
func TestCallReadsNoMoreThanItMust(t *testing.T) {
	for _, beginning := range []string{"", "{} ", "{}", strings.Repeat(" ", 2000), "\ufeff", `{"uid":`} {
		body := &endless{c: 'x'}
		c := &http.Client{Transport: answerFrom(io.MultiReader(strings.NewReader(beginning), body))}
		_, err := okru.Call[struct{ UID string }](t.Context(), c, "users.getInfo", nil)
		if _, ok := errors.AsType[*okru.AnswerError](err); !ok || body.read > 128<<10 {
			t.Errorf("%.20q and so on: %v, read %d bytes", beginning, err, body.read)
		}
	}
}

func TestCallReadsAnyPieces(t *testing.T) {
	for _, text := range []string{`{"uid":"1"}`, "\ufeff{\"uid\":\"1\"}\r\n", strings.Repeat(" ", 2000) + `{"uid":"1"}` + strings.Repeat("\n", 2000)} {
		for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
			c := &http.Client{Transport: answerFrom(r)}
			if got, err := okru.Call[struct{ UID string }](t.Context(), c, "users.getInfo", nil); err != nil || got.UID != "1" {
				t.Errorf("%T of %.20q: %v, %v", r, text, got, err)
			}
		}
	}
}

// An answer that breaks off is neither a page nor a result, though it may look
// like one.
func TestCallBrokenOff(t *testing.T) {
	for _, text := range []string{"", " ", `{"uid":"1`, `{"uid":"1"}`, `{"uid":1}`, "<html>", `{"text":"` + strings.Repeat("x", 2000)} {
		for _, cause := range []error{io.ErrUnexpectedEOF, errors.New("reset")} {
			c := &http.Client{Transport: answerFrom(io.MultiReader(strings.NewReader(text), iotest.ErrReader(cause)))}
			got, err := okru.Call[struct{ UID string }](t.Context(), c, "users.getInfo", nil)
			if !errors.Is(err, cause) || !strings.Contains(err.Error(), "broke off") || got.UID != "" {
				t.Errorf("%.20q: %v, %v", text, got, err)
			}
		}
	}
}

// sly is a type whose errors look like those of a reader.
type sly struct{}

func (s *sly) UnmarshalJSON([]byte) error { return io.EOF }

func TestCallTellsTypesFromPages(t *testing.T) {
	for text, want := range map[string]string{`{}`: "does not fit", `{} x`: "not JSON", `{`: "not JSON"} {
		c := &http.Client{Transport: answerFrom(strings.NewReader(text))}
		_, err := okru.Call[sly](t.Context(), c, "users.getInfo", nil)
		if e, ok := errors.AsType[*okru.AnswerError](err); !ok || !strings.Contains(err.Error(), want) || e.Excerpt != text {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
