package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
)

// A witness reads all that a program could print, and looks for secrets in it.
// It is safe for concurrent use.
type witness struct {
	secrets secrets

	errors, texts, bytes, found atomic.Int64

	leaks sample
}

// read looks for secrets in a text that came from somewhere.
func (w *witness) read(from, text string) {
	w.texts.Add(1)
	w.bytes.Add(int64(len(text)))
	secret := w.secrets.find(text)
	if secret == "" {
		return
	}
	w.found.Add(1)
	w.leaks.add(fmt.Sprintf("%s shows %q: %s", from, secret, text))
}

// readError prints err in every way that ends up in logs, and all that it
// wraps.
func (w *witness) readError(from string, err error) {
	w.errors.Add(1)
	w.read(from+", slog", logged(err))
	w.readTree(from, err)
}

func (w *witness) readTree(from string, err error) {
	if err == nil {
		return
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		w.read(from+", "+verb, fmt.Sprintf(verb, err))
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range many.Unwrap() {
			w.readTree(from, err)
		}
		return
	}
	w.readTree(from, errors.Unwrap(err))
}

// Write makes w the output of a log.Logger.
func (w *witness) Write(line []byte) (int, error) {
	w.read("log", string(line))
	return len(line), nil
}

// logged returns what package slog makes of v, as text and as JSON.
func logged(v any) string {
	var b bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).LogAttrs(context.Background(), slog.LevelError, "call failed", slog.Any("error", v))
	}
	return b.String()
}
