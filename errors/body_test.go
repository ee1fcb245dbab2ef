package okerrors_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/lookahead"
)

const (
	failure = `{"error_code":102,"error_msg":"PARAM_SESSION_EXPIRED : Session expired"}`
	success = `{"uid":"1","name":"Ann"}`
)

// TestVerdictStays inspects twice, before and after the body is read and closed.
func TestVerdictStays(t *testing.T) {
	body := &source{chunks: []string{failure}}
	resp := respondFrom(body)
	resp.ContentLength = int64(len(failure))
	e := mustError(t, resp)
	kept, reads := resp.Body, body.reads

	if again := mustError(t, resp); again != e || resp.Body != kept || body.reads != reads {
		t.Error("the second inspection is not free")
	}
	mustRead(t, resp, failure)
	resp.Body.Close()
	if again := mustError(t, resp); again != e {
		t.Error("reading and closing the body changes the error")
	}
	if resp.ContentLength != int64(len(failure)) {
		t.Errorf("ContentLength = %d", resp.ContentLength)
	}

	body = &source{chunks: []string{success}}
	resp = respondFrom(body)
	mustPass(t, resp)
	reads = body.reads
	if _, inspected := lookahead.Of(resp).Verdict(); !inspected {
		t.Error("the verdict about a success is not kept")
	}
	if mustPass(t, resp); body.reads != reads {
		t.Error("the second inspection of a success is not free")
	}
}

func TestPartlyRead(t *testing.T) {
	resp := respond(failure)
	io.ReadFull(resp.Body, make([]byte, 5))
	mustPass(t, resp)
	mustRead(t, resp, failure[5:])

	resp = respond("[1]" + failure)
	io.ReadFull(resp.Body, make([]byte, 3))
	mustError(t, resp)
	mustRead(t, resp, failure)

	resp = respond(failure)
	resp.Body.Close()
	mustPass(t, resp)
	if _, err := resp.Body.Read(make([]byte, 1)); err != errClosed {
		t.Errorf("Read after Close: %v", err)
	}
}

// TestReadError has bodies that break off, which the caller must learn as if
// no layer had inspected the body.
func TestReadError(t *testing.T) {
	broken := errors.New("connection reset")
	for _, text := range []string{"", "{", `{"error_msg":"x`, `[1,2`, success, failure, `{"error_code":102,"error_ms`} {
		for _, together := range []bool{false, true} {
			body := &source{chunks: []string{text}, err: broken, together: together}
			resp := respondFrom(body)
			if _, ok := okerrors.FromResponse(resp); ok != strings.Contains(text, "102") {
				t.Errorf("%q: FromResponse says %v", text, ok)
			}
			for range 2 {
				got, err := io.ReadAll(resp.Body)
				if string(got) != text || err != broken {
					t.Errorf("%q: reads %q, %v", text, got, err)
				}
				text = ""
			}
		}
	}
}

func TestStuckBody(t *testing.T) {
	resp := respondFrom(&source{chunks: append(make([]string, 1000), failure)})
	mustPass(t, resp)
	mustRead(t, resp, failure)
}

func TestClose(t *testing.T) {
	for _, text := range []string{success, failure, "[]"} {
		body := &source{chunks: []string{text}}
		resp := respondFrom(body)
		okerrors.FromResponse(resp)
		resp.Body.Close()
		resp.Body.Close()
		if body.closes != 1 {
			t.Errorf("%s: the original was closed %d times", text, body.closes)
		}
		if n, err := resp.Body.Read(make([]byte, 10)); n != 0 || err != errClosed {
			t.Errorf("%s: Read after Close = %d, %v", text, n, err)
		}
	}
}

// TestReaders reads what was put back in the ways iotest knows.
func TestReaders(t *testing.T) {
	body := `{"items":"` + strings.Repeat("0123456789", 10_000) + `"}`
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"plain": func(r io.Reader) io.Reader { return r }, "one byte": iotest.OneByteReader,
		"half": iotest.HalfReader, "data and EOF": iotest.DataErrReader,
	} {
		resp := respondFrom(io.NopCloser(wrap(strings.NewReader(body))))
		mustPass(t, resp)
		if err := iotest.TestReader(resp.Body, []byte(body)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCloseDuringRead is for the race detector: net/http's bodies may be
// closed while they are read.
func TestCloseDuringRead(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"items":[`)
		w.Write(bytes.Repeat([]byte("1,"), 1<<20))
	}))
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	mustPass(t, resp)
	var reading sync.WaitGroup
	started := make(chan struct{})
	reading.Go(func() {
		resp.Body.Read(make([]byte, 1))
		close(started)
		io.Copy(io.Discard, resp.Body)
	})
	<-started
	resp.Body.Close()
	reading.Wait()
}

// TestFlushed inspects a response whose server sends the rest only once the
// client has its verdict.
func TestFlushed(t *testing.T) {
	looked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"items":[1`)
		w.(http.Flusher).Flush()
		<-looked
		io.WriteString(w, `,2]}`)
	}))
	defer server.Close()
	resp, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	mustPass(t, resp)
	close(looked)
	mustRead(t, resp, `{"items":[1,2]}`)
}
