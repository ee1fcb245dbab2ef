package okru

// This file decodes the response to a call: into the caller's type, an API error,
// or an AnswerError. It reads the body as a stream, so that of a page of a proxy
// it reads no more than an excerpt.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
)

// An AnswerError is a response that is neither what was asked for nor an API
// error: a page of a proxy, a status other than 2xx, JSON of another type.
//
// errors.Is finds okerrors.ErrThrottled in it at status 429 and 503, and
// okerrors.ErrOutcomeUnknown if the call is a write that may have run: after a
// status of 500 or more, except for a 503 with Retry-After, and after a 2xx that
// cannot be read.
type AnswerError struct {
	Method      string // the API method
	Status      int    // the HTTP status
	ContentType string // the media type, if sent
	Err         error  // what is wrong with it

	// Excerpt is how the response begins, without the secrets of the call and
	// what else looks like one. It is empty if the response looks like JSON,
	// whose values may be personal data.
	Excerpt string

	mayHaveRun bool // it is a write
}

// Error returns the method, the status, what is wrong, and the excerpt.
func (e *AnswerError) Error() string {
	text := fmt.Sprintf("okru: %s: response with status %d: %v", e.Method, e.Status, e.Err)
	if e.Excerpt != "" {
		text += fmt.Sprintf(": %q", e.Excerpt)
	}
	return text
}

// Unwrap returns e.Err.
func (e *AnswerError) Unwrap() error { return e.Err }

// Is reports whether e is of the class target: see [AnswerError].
func (e *AnswerError) Is(target error) bool {
	switch target {
	case okerrors.ErrThrottled:
		return e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable
	case okerrors.ErrOutcomeUnknown:
		return e.mayHaveRun
	}
	return false
}

const (
	// maxResponse bounds the response to a call, in bytes.
	maxResponse = 16 << 20

	// maxExcerpt bounds the excerpt of an AnswerError, in bytes.
	maxExcerpt = 256

	// maxHead is how much of a response is kept for an excerpt, in bytes. It is
	// more than maxExcerpt, since redaction makes a text shorter.
	maxHead = 2 * maxExcerpt

	// maxEmptyReads is how often a body may return nothing at all before that is
	// an error, so that a broken one does not hang the call.
	maxEmptyReads = 100
)

var (
	// What is wrong with a response, see AnswerError.Err.
	errNotJSON = errors.New("not JSON")
	errTooLong = errors.New("longer than 16 MiB")
	errNothing = errors.New("neither a result nor an API error")
)

// decode fills result from resp, the response to the call c. Of a page that is
// not JSON it reads no more than it must to know that.
func (c *call) decode(resp *http.Response, result any) error {
	if e, failed := okerrors.FromResponse(resp); failed {
		return c.apiError(e, resp)
	}
	// A JSON value in a response that is no success is not the result, though it
	// may have the same type.
	success := resp.StatusCode/100 == 2
	if !success {
		result = new(json.RawMessage)
	}
	body := &bodyReader{rest: resp.Body, left: maxResponse}
	text, isJSON, err := readJSON(body, result)
	if body.isCut() {
		return &callError{c.method, fmt.Errorf("the response broke off: %w", body.err), c.isWrite}
	}
	if isJSON && bytes.Contains(text, []byte(`"error_code"`)) {
		if e, failed := okerrors.Parse(text); failed { // after keys that no error has
			return c.apiError(c.redactLate(text, e), resp)
		}
	}
	if !success {
		err = errNothing
	}
	if err == nil {
		return nil
	}
	return c.answerError(resp, text, body.err == io.EOF, err)
}

// redactLate returns e, the error that text is, without the secrets of the call. No
// layer has seen it, and done so. If text without them is no error any more, the code
// is kept, and nothing else.
func (c *call) redactLate(text []byte, e *okerrors.Error) *okerrors.Error {
	if masked, ok := okerrors.Parse([]byte(c.redact(string(text)))); ok {
		return masked
	}
	return &okerrors.Error{Code: e.Code}
}

// apiError returns e, which is the error of the call.
func (c *call) apiError(e *okerrors.Error, resp *http.Response) error {
	if e.Method == "" {
		e.Method = c.method
	}
	e.Status = resp.StatusCode
	if c.isWrite && e.Code.MayHaveRun() && !errors.Is(e, okerrors.ErrOutcomeUnknown) {
		return &callError{c.method, e, true}
	}
	return e
}

// answerError returns the error of a response that is text or, if isWhole is false,
// begins with it.
func (c *call) answerError(resp *http.Response, text []byte, isWhole bool, err error) *AnswerError {
	e := newAnswerError(c.method, resp, text, isWhole, c.redact, err)
	_, later := roundtrip.RetryAfter(resp.Header, time.Now())
	// A 4xx rejects the call, and a 503 with Retry-After asks to come back.
	// Everything else may be a proxy that gave up on a server which runs the call.
	e.mayHaveRun = c.isWrite && (resp.StatusCode/100 == 2 || resp.StatusCode >= 500 && !(resp.StatusCode == http.StatusServiceUnavailable && later))
	return e
}

// newAnswerError returns the error of a response that is text or, if isWhole is
// false, begins with it. The function clean takes what is known to be secret out of a
// text.
func newAnswerError(method string, resp *http.Response, text []byte, isWhole bool, clean func(string) string, err error) *AnswerError {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	e := &AnswerError{Method: method, Status: resp.StatusCode, ContentType: kind, Err: err}
	if !looksLikeJSON(kind, text) {
		e.Excerpt = excerptOf(text, isWhole, clean)
	}
	return e
}

// excerptOf returns the excerpt of a response that is text or begins with it. If the
// response goes on, the last word is left out: a part of a secret would not be found.
func excerptOf(text []byte, isWhole bool, clean func(string) string) string {
	head := text[:min(len(text), maxHead)]
	isCut := !isWhole || len(head) < len(text)
	if end := bytes.LastIndexAny(head, " \t\r\n<>\"'&"); isCut && end > 0 {
		head = head[:end]
	}
	// First what is known to be secret, then what looks like it: a page of a proxy
	// may quote a form or a cookie of others.
	excerpt := redact.Page(clean(strings.ToValidUTF8(string(head), "")))
	return strings.ToValidUTF8(excerpt[:min(len(excerpt), maxExcerpt)], "")
}

// looksLikeJSON reports whether a response of this media type, which begins with
// text, was meant to be JSON.
func looksLikeJSON(kind string, text []byte) bool {
	text = bytes.TrimLeft(bytes.TrimPrefix(text, byteOrderMark), space)
	return strings.HasSuffix(kind, "json") || len(text) > 0 && strings.IndexByte(`{["`, text[0]) >= 0
}

var byteOrderMark = []byte("\ufeff") // FromResponse allows one, too

// space is the white space of JSON.
const space = " \t\r\n"

// readJSON fills result with the one JSON value of b. White space leaves result as
// it is. It returns the text of the value, also if it does not fit result; if
// isJSON is false, the beginning of what is no JSON.
func readJSON(b *bodyReader, result any) (text []byte, isJSON bool, err error) {
	switch {
	case b.begin():
	case b.err == io.EOF: // there is nothing else
		return nil, true, nil
	default:
		return nil, false, b.err
	}
	d := json.NewDecoder(b)
	misfit := decodeJSON(d, result)
	end := int(d.InputOffset())
	switch {
	case misfit == errTooLong:
		return b.text, false, errTooLong
	case end == 0 || !b.isSpaceFrom(end): // there is no value, or another one follows
		return b.text, false, errNotJSON
	case b.err != io.EOF:
		return b.text, false, b.err
	}
	return b.text[:end], true, misfit
}

// A bodyReader reads the body of a response for a decoder. It keeps what the decoder
// has read, and not what surrounds it.
type bodyReader struct {
	rest io.Reader // what was not read yet
	left int       // how much of it may be read, in bytes
	err  error     // of rest, or errTooLong; nil: it has not ended
	text []byte    // what was read, from the first byte that is no white space
	next int       // the part of text that Read has returned
}

// begin reads the beginning of the body: maxHead bytes, which is all of most
// responses and enough for an excerpt. It takes a byte order mark and white space out
// of it, and returns false if there is nothing else in the whole body.
func (b *bodyReader) begin() bool {
	b.text = make([]byte, 0, maxHead)
	for mark := byteOrderMark; b.err == nil && len(b.text) == 0; mark = nil {
		for b.err == nil && len(b.text) < maxHead {
			b.text = b.text[:len(b.text)+b.read(b.text[len(b.text):maxHead])]
		}
		b.text = append(b.text[:0], bytes.TrimLeft(bytes.TrimPrefix(b.text, mark), space)...)
	}
	return len(b.text) > 0
}

// read reads from rest until it gets something, or err is set.
func (b *bodyReader) read(p []byte) (n int) {
	for range maxEmptyReads {
		n, b.err = b.rest.Read(p[:min(len(p), b.left+1)])
		if b.left -= n; b.left < 0 && !b.isCut() {
			b.err = errTooLong
		}
		if n > 0 || b.err != nil {
			return n
		}
	}
	b.err = io.ErrNoProgress
	return 0
}

// Read implements [io.Reader].
func (b *bodyReader) Read(p []byte) (n int, err error) {
	if b.next < len(b.text) {
		n = copy(p, b.text[b.next:])
	} else if b.err == nil {
		n = b.read(p)
		b.text = append(b.text, p[:n]...)
	}
	if b.next += n; b.next == len(b.text) {
		err = b.err
	}
	return n, err
}

// isSpaceFrom reports whether nothing but white space follows from byte end of text
// on. It reads the body up to the first byte that is none.
func (b *bodyReader) isSpaceFrom(end int) bool {
	isSpace := func(p []byte) bool { return len(bytes.TrimLeft(p, space)) == 0 }
	if !isSpace(b.text[end:]) {
		return false
	}
	if b.err != nil { // most responses have ended
		return true
	}
	for p := make([]byte, maxHead); b.err == nil; {
		if !isSpace(p[:b.read(p)]) {
			return false
		}
	}
	return true
}

// isCut reports whether an error ended the response.
func (b *bodyReader) isCut() bool { return b.err != nil && b.err != io.EOF && b.err != errTooLong }

// decodeJSON fills result with the next value of d. Numbers that go into an
// interface become a json.Number.
func decodeJSON(d *json.Decoder, result any) error {
	d.UseNumber()
	err := d.Decode(result)
	if err != nil && d.InputOffset() > 0 { // there is a value
		return redact.NewError(misfit(err), err)
	}
	return err
}

// misfit returns the text of err, an error of encoding/json or of a method
// UnmarshalJSON. It shows no value of the response, which may be personal data.
func misfit(err error) string {
	text := "does not fit the type asked for"
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		kind, _, _ := strings.Cut(t.Value, " ") // "number 42" has the value
		text += fmt.Sprintf(": a JSON %s for the Go type %v", kind, t.Type)
		if t.Field != "" {
			text += " of " + t.Field
		}
	}
	return text
}
