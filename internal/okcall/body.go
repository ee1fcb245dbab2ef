package okcall

// This file reads the body of a request a second time. A layer must not trust
// GetBody alone: middlewares that replace Body often forget it.

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
)

// nopCloser is the type that io.NopCloser returns for readers with a WriteTo,
// which those of bytes and strings have. It is not exported, and its reader is
// its only field.
var nopCloser = reflect.TypeOf(io.NopCloser(strings.NewReader("")))

// InMemory returns the reader in body if it is one of bytes or strings in an
// io.NopCloser, as http.NewRequest makes them, or else nil.
func InMemory(body io.ReadCloser) interface{ Len() int } {
	if reflect.TypeOf(body) != nopCloser {
		return nil
	}
	switch r := reflect.ValueOf(body).Field(0).Interface().(type) {
	case *strings.Reader:
		return r
	case *bytes.Reader:
		return r
	case *bytes.Buffer:
		return r
	}
	return nil
}

var (
	// A layer above has a bug, and the program should know: what GetBody returns
	// would be sent under the length of the other body.
	errOldBody = errors.New("GetBody returns another body than Body: a layer has replaced Body, and not GetBody")
	errNilBody = errors.New("GetBody returns neither a body nor an error")
)

// NewBody returns a new body with the content of the body of r, which has a
// GetBody and may have been read.
//
// A layer that replaced Body may have left the GetBody of the old one. NewBody
// therefore returns what is in Body, if that is a strings.Reader or a
// bytes.Reader, which keep what was read from them. Of others it can compare
// only the length: it returns an error if that differs.
func NewBody(r *http.Request) (io.ReadCloser, error) {
	body, err := r.GetBody()
	if err == nil && body == nil {
		err = errNilBody
	}
	if err != nil {
		return nil, err
	}
	// The content of Body itself: then GetBody, whatever it returns, does not
	// matter.
	if text, ok := InMemory(r.Body).(sizedReaderAt); ok && text.Size() == r.ContentLength {
		body.Close()
		return io.NopCloser(io.NewSectionReader(text, 0, r.ContentLength)), nil
	}
	if old := InMemory(body); old != nil && r.ContentLength > 0 && int64(old.Len()) != r.ContentLength {
		body.Close()
		return nil, errOldBody
	}
	return body, nil
}

// A sizedReaderAt is a strings.Reader or a bytes.Reader. The methods do not
// depend on what was read, so that they can be called while others read.
type sizedReaderAt interface {
	io.ReaderAt
	Size() int64
}
