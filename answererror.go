package okru

import (
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/redact"
)

// An AnswerError is an answer that is neither what was asked for nor an API
// error: a page of a proxy, a status other than 2xx, JSON of another type.
type AnswerError struct {
	Method      string // the API method
	Status      int    // the HTTP status
	ContentType string // the media type, if sent
	Excerpt     string // how the answer begins, without the secrets of the call and what else looks like one
	Err         error  // what is wrong with it
}

// maxExcerpt bounds how much of an answer an AnswerError shows.
const maxExcerpt = 256

func newAnswerError(resp *http.Response, r *http.Request, method string, p *page, err error) *AnswerError {
	excerpt := strings.ToValidUTF8(string(p.beginning()), "")
	excerpt = redact.Page(okcall.FromContext(r.Context()).Caller.Redact(excerpt))
	excerpt = strings.ToValidUTF8(excerpt[:min(len(excerpt), maxExcerpt)], "")
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return &AnswerError{Method: method, Status: resp.StatusCode, ContentType: kind, Excerpt: excerpt, Err: err}
}

// Error tells the method, the status, what is wrong, and how the answer begins.
func (e *AnswerError) Error() string {
	text := fmt.Sprintf("okru: %s: answer with status %d: %v", e.Method, e.Status, e.Err)
	if e.Excerpt != "" {
		text += fmt.Sprintf(": %q", e.Excerpt)
	}
	return text
}

// Unwrap returns e.Err.
func (e *AnswerError) Unwrap() error { return e.Err }
