package oktest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"time"
)

const (
	jsonType = "application/json;charset=utf-8"
	htmlType = "text/html;charset=utf-8"
	textType = "text/plain;charset=utf-8"
)

// A response is what the fake sends for a request, faults included, over a
// connection or in process.
type response struct {
	status int // 0: 200
	header http.Header
	body   string

	reset    bool          // no response: the connection is reset
	delay    time.Duration // before the response
	pause    time.Duration // in the middle of the body
	truncate bool          // the connection ends in the middle of the body
	chunked  bool          // the length of the body is not announced
	gzip     bool
}

// with returns a with this body.
func (a response) with(contentType, body string) response {
	if a.header == nil {
		a.header = make(http.Header)
	}
	a.header.Set("Content-Type", contentType)
	a.header.Set("Cache-Control", "no-store")
	a.body = body
	return a
}

// marshal returns v as JSON. It is for values that cannot fail.
func marshal(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

func (a response) code() int {
	if a.status == 0 {
		return http.StatusOK
	}
	return a.status
}

// halves returns what is sent before the middle of the body and after it.
func (a response) halves() (first, rest string) {
	middle := len(a.body) / 2
	switch {
	case a.truncate:
		return a.body[:middle], ""
	case a.pause > 0:
		return a.body[:middle], a.body[middle:]
	}
	return a.body, ""
}

// write sends a over a connection.
func (a response) write(w http.ResponseWriter, r *http.Request) {
	if !sleep(r.Context(), a.delay) {
		panic(http.ErrAbortHandler)
	}
	if a.reset {
		reset(w)
		return
	}
	if a.gzip {
		a = a.zipped()
	}
	maps.Copy(w.Header(), a.header)
	if !a.chunked && hasBody(a.code()) {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.code())
	a.writeBody(w, r)
}

func (a response) writeBody(w http.ResponseWriter, r *http.Request) {
	first, rest := a.halves()
	_, _ = w.Write([]byte(first))
	if a.chunked || a.truncate || a.pause > 0 {
		_ = http.NewResponseController(w).Flush()
	}
	if !sleep(r.Context(), a.pause) || a.truncate {
		panic(http.ErrAbortHandler)
	}
	if rest != "" {
		_, _ = w.Write([]byte(rest))
	}
}

func (a response) zipped() response {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(a.body))
	_ = z.Close()
	a.body = b.String()
	a.header = a.header.Clone()
	a.header.Set("Content-Encoding", "gzip")
	return a
}

// hasBody reports whether a response with this status may have a body.
func hasBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// sleep waits for d. It returns false if ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
