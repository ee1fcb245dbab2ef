package okru

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	okerrors "github.com/go-okru/okru/errors"
)

// decode fills result from the answer to r, a call of method. It reads no more
// of what is no JSON than it takes to see that, and to show how it begins.
func decode(resp *http.Response, r *http.Request, method string, result any) error {
	if e, failed := okerrors.FromResponse(resp); failed {
		return e
	}
	p := openPage(resp.Body)
	if resp.StatusCode/100 != 2 {
		return newAnswerError(resp, r, method, p, errors.New("neither a result nor an API error"))
	}
	err := p.decode(result)
	switch {
	case p.broken():
		return fmt.Errorf("okru: %s: the answer broke off: %w", method, p.err)
	case err != nil:
		return newAnswerError(resp, r, method, p, err)
	}
	return nil
}

// maxPage is how much of an answer is kept for an AnswerError. It is more than
// one shows, since secrets that are taken out make a text shorter.
const maxPage = 2 * maxExcerpt

// A page is an answer of which the beginning is kept.
type page struct {
	rest io.Reader
	err  error         // what ended rest; nil: it has not ended
	head [maxPage]byte // how it begins
	n    int           // bytes in head
	next int           // the first one of them that was not yet read from page
}

var byteOrderMark = []byte("\ufeff") // FromResponse allows one, too

// openPage reads the beginning of an answer.
func openPage(answer io.Reader) *page {
	p := &page{rest: answer}
	for p.n < len(p.head) && p.err == nil {
		var n int
		n, p.err = answer.Read(p.head[p.n:])
		p.n += n
	}
	if bytes.HasPrefix(p.head[:p.n], byteOrderMark) {
		p.next = len(byteOrderMark)
	}
	return p
}

// beginning returns how the page begins. If it goes on, the last word is left
// out: half a secret would not be found.
func (p *page) beginning() []byte {
	head := p.head[:p.n]
	if end := bytes.LastIndexAny(head, " \t\r\n<>\"'&"); p.n == len(p.head) && end > 0 {
		return head[:end]
	}
	return head
}

// broken reports whether the answer ended before its end.
func (p *page) broken() bool { return p.err != nil && p.err != io.EOF }

// Read reads the whole page, but for a byte order mark.
func (p *page) Read(b []byte) (int, error) {
	if p.next < p.n {
		n := copy(b, p.head[p.next:p.n])
		p.next += n
		return n, nil
	}
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.rest.Read(b)
	p.err = err
	return n, err
}

var errNotJSON = errors.New("not JSON")

// decode fills result with the one JSON value of the page. It leaves it alone
// if the page is blank.
func (p *page) decode(result any) error {
	d := json.NewDecoder(p)
	d.UseNumber()
	err := d.Decode(result)
	switch isValue := d.InputOffset() > 0; {
	case !isValue && err == io.EOF: // nothing but white space
		return nil
	case !isValue:
		return errNotJSON
	}
	if _, rest := d.Token(); rest != io.EOF {
		return errNotJSON
	}
	if err != nil {
		return fmt.Errorf("does not fit the type asked for: %w", err)
	}
	return nil
}
