package okerrors

// This file finds the API error in a response. Every layer that needs one calls
// FromResponse; nothing else in the module parses errors.

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strconv"

	"github.com/go-okru/okru/internal/lookahead"
	"github.com/go-okru/okru/internal/okcall"
)

// FromResponse returns the API error in resp, or nil and false if resp is no
// API error. It finds
//
//   - a positive integer in the header Invocation-Error or, failing that,
//     WMF-Invocation-Error; the body then has the details;
//   - an object in JSON with an integer error_code, other than 0, at the top
//     level;
//   - an element error_response in XML with such an error_code.
//
// The HTTP status and the content type do not matter: OK sends errors with
// status 200. Nothing is decompressed: in a response that net/http did not
// decompress, only the header counts. Next to a code in the header, the body may
// also be text such as "3:METHOD : Method x.y not found".
//
// FromResponse does not change what the caller reads, and does not buffer a
// large response: it stops at the first byte of anything but an object or an
// element, at the first top-level key that no error has, and after 64 KiB at
// the latest. It keeps a read error for the caller. For this it replaces
// resp.Body, which must be read and closed as usual; it changes nothing else
// of resp. It waits for the first bytes of the body; the end of the request's
// context ends that.
//
// Until the body is read, FromResponse may be called again, and returns the
// same result, also if resp.Body was wrapped in between. Once the body was
// read, in whole or in part, the result is undefined.
//
// A nil resp, a nil resp.Body, a nil resp.Request and a response without a
// body are allowed. A response with status 101 is left alone, since its body
// is a connection. FromResponse must not be called while the body is read.
func FromResponse(resp *http.Response) (*Error, bool) {
	if resp == nil || resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, false
	}
	if resp.Body == nil || resp.Body == http.NoBody {
		if headerCode(resp.Header) == 0 {
			return nil, false
		}
		resp.Body = http.NoBody
	}
	body := lookahead.Of(resp)
	// A layer below has inspected the same body, or its header. This saves time,
	// and decides nothing.
	if verdict, ok := body.Verdict(); ok {
		e, found := verdict.(*Error)
		return e, found
	}
	code := Code(0)
	if !body.HasNoCode() {
		code = headerCode(resp.Header)
	}
	e := inspectBody(body, code)
	if e == nil {
		body.SetVerdict(nil)
		return nil, false
	}
	e.Status, e.Method = resp.StatusCode, okcall.Method(resp.Request)
	e.idempotent, e.isCall = okcall.MayRepeat(resp.Request)
	body.SetVerdict(e)
	return e, true
}

// Parse returns the API error that data is, or nil and false if it is none: an
// item of batch.execute, a webhook, a response that was read already. It
// recognizes the forms that [FromResponse] does, and text such as "3:METHOD :
// Method x.y not found". Unlike FromResponse it reads all of data, and thus
// also finds an error_code after a key that no error has.
//
// Method and Status of the error are not set.
func Parse(data []byte) (*Error, bool) {
	e := newError(0, membersOf(bytes.NewReader(data), formOf(data), 0, true))
	return e, e != nil
}

// inspectBody returns the error in body, or nil. If code, that of the header,
// is not 0, there is one.
func inspectBody(body *lookahead.Body, code Code) *Error {
	form := unknownForm
	for form == unknownForm && body.More() {
		form = formOf(body.Head())
	}
	// No header has a code, and the body cannot be an error: the decoder is not
	// started.
	if code == 0 && (form == foreignForm || form == textForm) {
		return nil // nearly all successes
	}
	return newError(code, membersOf(body.Ahead(), form, code, code != 0))
}

// membersOf returns the members of the error at the beginning of r, which has
// that form; nil if there is none. The code is that of the header, or 0. With
// all, an object in JSON may have keys that no error has.
func membersOf(r io.Reader, form form, code Code, all bool) members {
	const most = 512 // bytes: nearly all errors fit in
	in := bufio.NewReaderSize(r, most)
	if first, _ := in.Peek(1); string(first) == byteOrderMark[:1] { // reads no further than it must
		_, _ = in.Discard(len(byteOrderMark))
	}
	switch form {
	case jsonForm, foreignForm:
		return jsonMembers(in, all)
	case xmlForm:
		return xmlMembers(in)
	case textForm:
		return textMembers(in, code)
	}
	return nil
}

// newError returns the error with these members, and with code or, if that is
// 0, the error_code. It returns nil if both are 0.
func newError(code Code, m members) *Error {
	if code == 0 {
		code = m.code()
	}
	if code == 0 {
		return nil
	}
	e := &Error{Code: code}
	m.describe(e)
	return e
}

// headerCode returns the code of an error in the header h, or 0.
func headerCode(h http.Header) Code {
	for _, name := range &lookahead.CodeHeaders {
		if values := h[name]; len(values) > 0 {
			if n, err := strconv.Atoi(values[0]); err == nil && n > 0 {
				return Code(n)
			}
		}
	}
	return 0
}
