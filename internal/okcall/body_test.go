package okcall

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A closer counts how often it is closed.
type closer struct {
	io.Reader
	closed int
}

func (c *closer) Close() error { c.closed++; return nil }

// NewBody returns what is in Body, if that shows it, and else what GetBody
// returns, unless its length shows that it is another one.
func TestNewBody(t *testing.T) {
	inMemory := func(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }
	for name, test := range map[string]struct {
		body, getBody io.ReadCloser
		length        int64
		want          string // what the new body has
		err           string
	}{
		"the same":                {inMemory("text"), inMemory("text"), 4, "text", ""},
		"GetBody is old":          {inMemory("text"), inMemory("another"), 4, "text", ""},
		"of bytes":                {io.NopCloser(bytes.NewReader([]byte("text"))), inMemory("another"), 4, "text", ""},
		"a stream":                {io.NopCloser(io.MultiReader()), inMemory("text"), 4, "text", ""},
		"a stream, GetBody old":   {io.NopCloser(io.MultiReader()), inMemory("another"), 4, "", errOldBody.Error()},
		"one byte, GetBody old":   {io.NopCloser(io.MultiReader()), inMemory("another"), 1, "", errOldBody.Error()},
		"of unknown length":       {io.NopCloser(io.MultiReader()), inMemory("text"), -1, "text", ""},
		"no length":               {io.NopCloser(io.MultiReader()), inMemory("text"), 0, "text", ""},
		"of another length":       {inMemory("text"), inMemory("abc"), 3, "abc", ""},
		"neither in memory":       {io.NopCloser(io.MultiReader()), io.NopCloser(io.LimitReader(strings.NewReader("text"), 2)), 4, "te", ""},
		"GetBody returns nothing": {inMemory("text"), nil, 4, "", "GetBody returns neither a body nor an error"},
	} {
		r := &http.Request{Body: test.body, ContentLength: test.length, GetBody: func() (io.ReadCloser, error) { return test.getBody, nil }}
		got, err := NewBody(r)
		if err != nil || test.err != "" {
			if got != nil || err == nil || err.Error() != test.err {
				t.Errorf("%s: NewBody = %v, %v; want %s", name, got, err, test.err)
			}
			continue
		}
		if text, err := io.ReadAll(got); string(text) != test.want || err != nil {
			t.Errorf("%s: the new body is %q, %v; want %q", name, text, err, test.want)
		}
	}
	if got, want := errOldBody.Error(), "GetBody returns another body than Body: a layer has replaced Body, and not GetBody"; got != want {
		t.Errorf("the error is %q, want %q", got, want)
	}
	broken := &http.Request{Body: inMemory("text"), GetBody: func() (io.ReadCloser, error) { return nil, io.ErrUnexpectedEOF }}
	if got, err := NewBody(broken); got != nil || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("NewBody = %v, %v; want the error of GetBody", got, err)
	}
}

// A body of GetBody that is not used is closed: it may be an open file.
func TestNewBodyClosesWhatItLeaves(t *testing.T) {
	unused := &closer{Reader: strings.NewReader("text")}
	r := &http.Request{
		Body: io.NopCloser(strings.NewReader("text")), ContentLength: 4,
		GetBody: func() (io.ReadCloser, error) { return unused, nil },
	}
	if _, err := NewBody(r); err != nil || unused.closed != 1 {
		t.Errorf("closed %d times, %v", unused.closed, err)
	}
}

// A Caller redacts by the function of the layer that has signed its call.
func TestCaller(t *testing.T) {
	c := new(Caller)
	if c.IsSigned() || c.MayHaveRun() || c.Redact("a secret") != "a secret" {
		t.Errorf("a new Caller: signed %t, may have run %t, redacts to %q", c.IsSigned(), c.MayHaveRun(), c.Redact("a secret"))
	}
	c.Sign(func(text string) string { return strings.ReplaceAll(text, "secret", "***") })
	c.SetMayHaveRun()
	if !c.IsSigned() || !c.MayHaveRun() || c.Redact("a secret") != "a ***" {
		t.Errorf("signed %t, may have run %t, redacts to %q", c.IsSigned(), c.MayHaveRun(), c.Redact("a secret"))
	}
}
