package okerrors

import (
	"net/http"
	"strconv"

	"github.com/go-okru/okru/internal/lookahead"
	"github.com/go-okru/okru/internal/okcall"
)

// The headers that carry the code of an error, the first one first, in the
// canonical form in which net/http keeps them.
var codeHeaders = [...]string{"Invocation-Error", "Wmf-Invocation-Error"}

// FromResponse returns the API error in resp, or nil and false if resp is no
// API error. It finds
//
//   - a positive integer in the header Invocation-Error or, failing that,
//     WMF-Invocation-Error; the body then has the details;
//   - an object in JSON with an integer error_code, at the top level;
//   - an element error_response in XML with an integer error_code.
//
// The HTTP status and the content type play no part: OK sends errors with
// status 200. Nothing is decompressed: of an answer that net/http did not
// decompress, only the header counts.
//
// FromResponse does not change what the caller reads, and reads no more than
// it must: it stops at the first byte of anything but an object or an element,
// at the first key that no error has, and after 64 KiB at the latest. A read
// error is kept for the caller. To this end it replaces resp.Body, which must
// be read and closed as ever; of resp it changes nothing else. It waits for
// the first bytes of the body, which the context of the request can end.
//
// The result stays with resp.Body: calling FromResponse again costs nothing
// and returns the same *Error, even once the body has been read. Of a body
// that was read in part before the first call, it sees the rest.
//
// A nil resp, a nil resp.Body, a nil resp.Request and an answer without a body
// are fine. An answer with status 101 is left alone, since its body is a
// connection. FromResponse must not be called while the body is being read.
func FromResponse(resp *http.Response) (*Error, bool) {
	if resp == nil || resp.StatusCode == http.StatusSwitchingProtocols || lookahead.IsFine(resp) {
		return nil, false
	}
	e, known := lookahead.Found(resp).(*Error)
	if !known {
		e = examine(resp)
	}
	return e, e != nil
}

// examine looks at an answer for the first time. It replaces the body, unless
// there is neither a body nor an error.
func examine(resp *http.Response) *Error {
	code := headerCode(resp.Header)
	if resp.Body == nil || resp.Body == http.NoBody {
		if code == 0 {
			return nil
		}
		resp.Body = http.NoBody
	}
	body := lookahead.Of(resp)
	if isObvious(body.Glance()) && code == 0 {
		return nil
	}
	return scan(resp, body, code)
}

// scan looks for an error in body, which has one if the header has its code.
func scan(resp *http.Response, body *lookahead.Body, code Code) *Error {
	p := peek{object: objectScan{all: code != 0}}
	readAhead(body, &p)
	if code == 0 && !p.found() {
		return nil
	}
	e := newError(resp, code, p.members(body.Head()))
	if e != nil {
		body.SetFound(e)
	}
	return e
}

// maxEmptyReads is how often a reader may return nothing at all before the
// look at it ends, so that a broken one does not hang the call.
const maxEmptyReads = 100

// readAhead reads until p has seen enough.
func readAhead(body *lookahead.Body, p *peek) {
	head := body.Head()
	for empty := 0; !p.look(head) && !body.Ended() && empty < maxEmptyReads; {
		seen := len(head)
		if head = body.More(); len(head) == seen {
			empty++
		}
	}
}

// newError returns the error of resp that has these members, with the code of
// the header or, if that is 0, of the members. It returns nil without a code.
func newError(resp *http.Response, code Code, o object) *Error {
	if code == 0 {
		var ok bool
		if code, ok = integer(o[errorCode]); !ok {
			return nil
		}
	}
	e := &Error{Code: code, Status: resp.StatusCode, Method: okcall.Method(resp.Request)}
	o.describe(e)
	return e
}

// headerCode returns the code of an error that the header tells, or 0.
func headerCode(h http.Header) Code {
	for _, name := range codeHeaders {
		if values := h[name]; len(values) > 0 {
			if n, err := strconv.Atoi(values[0]); err == nil && n > 0 {
				return Code(n)
			}
		}
	}
	return 0
}
