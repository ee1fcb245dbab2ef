package okvcr

import (
	"fmt"
	"net/http"
	"strconv"

	"gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"

	"github.com/go-okru/okru/internal/redact"
)

// Hook takes the secrets out of an interaction: out of the URL, the form, the
// body and the headers of the request, and the body and the headers of the
// response. It is a [recorder.HookFunc], to be used as a
// [recorder.BeforeSaveHook]: the program that is recorded then gets the
// answers as they came, and can use a token that one of them brought. As a
// [recorder.AfterCaptureHook] it would hand the program the answers without
// their secrets.
//
// "[redacted]" stands where a secret of a request was, and "[redacted-N]" where
// one of the response of interaction N was, so that a session that was renewed
// is another one on replay, too. A number becomes 0. Compressed bodies are
// stored as they are without compression. Lengths are adjusted.
//
// Hook fails if a body is compressed by anything but gzip. What it has cleaned
// it leaves alone when it is called again. It does not modify maps of the live
// request and response, which an interaction shares. It is safe for concurrent
// use by multiple goroutines, with one interaction each.
//
// [recorder.HookFunc]: https://pkg.go.dev/gopkg.in/dnaeon/go-vcr.v4/pkg/recorder#HookFunc
// [recorder.BeforeSaveHook]: https://pkg.go.dev/gopkg.in/dnaeon/go-vcr.v4/pkg/recorder#HookKind
// [recorder.AfterCaptureHook]: https://pkg.go.dev/gopkg.in/dnaeon/go-vcr.v4/pkg/recorder#HookKind
func Hook(i *cassette.Interaction) error {
	c := newCleaner()
	if err := c.interaction(i); err != nil {
		return err
	}
	c.learn() // what the end has as a secret, the beginning may quote
	return c.interaction(i)
}

func (c *cleaner) interaction(i *cassette.Interaction) error {
	c.mark = redact.Mark
	if err := c.request(&i.Request); err != nil {
		return fmt.Errorf("okvcr: request of interaction %d: %w", i.ID, err)
	}
	c.mark = "[redacted-" + strconv.Itoa(i.ID) + "]"
	if err := c.response(&i.Response); err != nil {
		return fmt.Errorf("okvcr: response of interaction %d: %w", i.ID, err)
	}
	return nil
}

func (c *cleaner) request(r *cassette.Request) error {
	header := c.header(r.Headers)
	text, err := c.body(r.Body, header)
	if err != nil {
		return err
	}
	r.ContentLength = adjust(header, r.ContentLength, r.Body, text)
	r.Body, r.Headers, r.Trailer = text, header, c.header(r.Trailer)
	r.URL, r.RequestURI = c.url(r.URL), c.url(r.RequestURI)
	r.Form = c.values(r.Form)
	return nil
}

func (c *cleaner) response(r *cassette.Response) error {
	header := c.header(r.Headers)
	text, err := c.body(r.Body, header)
	if err != nil {
		return err
	}
	r.ContentLength = adjust(header, r.ContentLength, r.Body, text)
	r.Body, r.Headers, r.Trailer = text, header, c.header(r.Trailer)
	return nil
}

// adjust returns the length of a message whose body was before and is now
// after, and sets it in header, too. A length that was not known stays so.
func adjust(header http.Header, length int64, before, after string) int64 {
	if length < 0 || before == after {
		return length
	}
	if header.Get("Content-Length") != "" {
		header.Set("Content-Length", strconv.Itoa(len(after)))
	}
	return int64(len(after))
}
