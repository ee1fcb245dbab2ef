package okvcr

import (
	"fmt"
	"net/http"
	"strconv"

	"gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"

	"github.com/go-okru/okru/internal/redact"
)

// Hook removes the secrets from an interaction: from the URL, the form, the
// body and the headers of the request, and from the body and the headers of the
// response. It is a [recorder.HookFunc], for use as a
// [recorder.BeforeSaveHook]: while recording, the program then gets unchanged
// responses, and can use the tokens in them. As a [recorder.AfterCaptureHook]
// it would remove them from what the program gets.
//
// "[redacted]" replaces a secret of a request, and "[redacted-N]" one of the
// response of interaction N, so that a renewed session differs from the old one
// on replay, too. A number becomes 0. Compressed bodies are stored
// decompressed. Lengths are adjusted.
//
// Hook fails if a body is compressed by anything but gzip. Calling it again
// changes nothing. It does not modify the maps of the request and the response
// in use, which an interaction shares. It is safe for concurrent use by multiple
// goroutines, with one interaction each.
//
// [recorder.HookFunc]: https://pkg.go.dev/gopkg.in/dnaeon/go-vcr.v4/pkg/recorder#HookFunc
// [recorder.BeforeSaveHook]: https://pkg.go.dev/gopkg.in/dnaeon/go-vcr.v4/pkg/recorder#HookKind
// [recorder.AfterCaptureHook]: https://pkg.go.dev/gopkg.in/dnaeon/go-vcr.v4/pkg/recorder#HookKind
func Hook(i *cassette.Interaction) error {
	c := newCleaner()
	if err := c.interaction(i); err != nil {
		return err
	}
	c.learn() // the beginning may quote a secret of the end
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

// adjust returns the length of a message whose body changed from before to
// after, and sets it in header, too. An unknown length stays unknown.
func adjust(header http.Header, length int64, before, after string) int64 {
	if length < 0 || before == after {
		return length
	}
	if header.Get("Content-Length") != "" {
		header.Set("Content-Length", strconv.Itoa(len(after)))
	}
	return int64(len(after))
}
