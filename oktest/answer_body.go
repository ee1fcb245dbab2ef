package oktest

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// response returns a as a client would receive it in answer to r.
func (a *answer) response(r *http.Request) (*http.Response, error) {
	if a.reset {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	}
	b, unzipped := a.received(r)
	resp := &http.Response{
		Status:        strconv.Itoa(a.code()) + " " + http.StatusText(a.code()),
		StatusCode:    a.code(),
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        b.header.Clone(),
		Body:          b.reader(r.Context()),
		ContentLength: int64(len(b.body)),
		Uncompressed:  unzipped,
		Request:       r,
	}
	if b.chunked {
		resp.ContentLength = -1
		resp.TransferEncoding = []string{"chunked"}
	} else {
		resp.Header.Set("Content-Length", strconv.Itoa(len(b.body)))
	}
	return resp, nil
}

// received returns a as it passes through an http.Transport, and whether that
// decompressed it, as it does if it was the one to ask for compression.
func (a *answer) received(r *http.Request) (b answer, unzipped bool) {
	b = *a
	if !hasBody(a.code()) {
		b.body = ""
	}
	unzipped = a.gzip && r.Header.Get("Accept-Encoding") == "" && r.Header.Get("Range") == ""
	switch {
	case unzipped:
		b.chunked = true // the length is that of the compressed body
	case a.gzip:
		b = b.zipped()
	}
	return b, unzipped
}

// reader returns the body of a, to be read under ctx.
func (a *answer) reader(ctx context.Context) io.ReadCloser {
	if a.body == "" && !(a.truncate && a.chunked) {
		return http.NoBody
	}
	first, rest := a.halves()
	b := &answerBody{first: strings.NewReader(first), rest: strings.NewReader(rest), pause: a.pause, truncate: a.truncate}
	b.request = ctx
	b.ctx, b.cancel = context.WithCancel(ctx)
	return b
}

// answerBody is the body of an answer in process.
type answerBody struct {
	request     context.Context
	ctx         context.Context // of the request, ended by Close
	cancel      context.CancelFunc
	first, rest *strings.Reader
	pause       time.Duration // between them; 0 once it has passed
	truncate    bool
}

func (b *answerBody) Read(p []byte) (int, error) {
	if b.ctx.Err() == nil && b.first.Len() > 0 {
		return b.first.Read(p)
	}
	if !sleep(b.ctx, b.pause) {
		return 0, b.broken()
	}
	b.pause = 0
	if n, err := b.rest.Read(p); err == nil || !b.truncate {
		return n, err
	}
	return 0, io.ErrUnexpectedEOF
}

func (b *answerBody) broken() error {
	if err := b.request.Err(); err != nil {
		return err
	}
	return http.ErrBodyReadAfterClose
}

func (b *answerBody) Close() error {
	b.cancel()
	return nil
}
