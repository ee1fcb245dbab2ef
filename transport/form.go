package transport

import (
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
)

// maxForm bounds the form of a call. It is what net/http allows a server's
// forms.
const maxForm = 10 << 20

// formOf returns the text of r's form and closes its body. It reads Body and
// not GetBody, which returns the old text after a layer that replaced Body
// only.
func formOf(r *http.Request) (string, error) {
	if okcall.Header(r.Header, "Content-Encoding") != "" {
		r.Body.Close()
		return "", refuse("a form with a Content-Encoding cannot be signed; send it as it is")
	}
	text, err := readForm(r)
	switch {
	case err != nil:
		return "", refuse("the form cannot be read: %w", err)
	case len(text) > maxForm:
		return "", refuse("the form is longer than %d MiB; upload files to the URL that a getUploadUrl method returns", maxForm>>20)
	}
	return string(text), nil
}

func readForm(r *http.Request) ([]byte, error) {
	if r.GetBody == nil {
		return readStream(r.Context(), r.Body)
	}
	defer r.Body.Close() // it is in memory: reading it does not wait
	return io.ReadAll(io.LimitReader(r.Body, maxForm+1))
}

// readStream reads a body that others feed, such as that of a request which a
// proxy passes on, no longer than ctx lasts. Like http.Transport, it may leave
// a Read behind that ends with the body.
func readStream(ctx context.Context, stream io.ReadCloser) ([]byte, error) {
	var once sync.Once
	end := func() { once.Do(func() { stream.Close() }) }
	if ctx.Done() == nil {
		defer end()
		return io.ReadAll(io.LimitReader(stream, maxForm+1))
	}
	type result struct {
		text []byte
		err  error
	}
	read := make(chan result, 1)
	go func() {
		text, err := io.ReadAll(io.LimitReader(stream, maxForm+1))
		end()
		read <- result{text, err}
	}()
	select {
	case r := <-read:
		return r.text, r.err
	case <-ctx.Done():
		go end() // a server's body waits for its reader
		return nil, roundtrip.ContextErr(ctx)
	}
}
