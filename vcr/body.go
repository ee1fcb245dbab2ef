package okvcr

import (
	"compress/gzip"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

const formType = "application/x-www-form-urlencoded"

func mediaType(header http.Header) string {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return kind
}

// body returns the body of a message with this header, decompressed and without
// secrets. It removes the Content-Encoding from header.
func (c *cleaner) body(text string, header http.Header) (string, error) {
	text, err := uncompressed(text, header)
	if err != nil {
		return "", err
	}
	mark := "" // Go and OK allow a byte order mark
	if rest, ok := strings.CutPrefix(text, "\ufeff"); ok {
		mark, text = "\ufeff", rest
	}
	switch kind := mediaType(header); {
	case kind == formType:
		text = c.query(text)
	case strings.HasPrefix(kind, "multipart/"):
		text = c.multipart(text)
	default:
		text = c.any(text)
	}
	return mark + text, nil
}

func uncompressed(text string, header http.Header) (string, error) {
	switch coding := strings.ToLower(header.Get("Content-Encoding")); {
	case text == "" || coding == "" || coding == "identity":
		return text, nil
	case coding != "gzip" && coding != "x-gzip":
		return "", fmt.Errorf("the body is compressed by %q: leave Accept-Encoding to net/http", coding)
	}
	r, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		return "", fmt.Errorf("the body does not match its Content-Encoding: %w", err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return "", fmt.Errorf("the body does not match its Content-Encoding: %w", err)
	}
	header.Del("Content-Encoding")
	return string(plain), nil
}
