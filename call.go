package okru

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/body"
	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/redact"
)

// endpoint is where Call sends calls. See https://apiok.ru/en/dev/methods.
const endpoint = "https://api.ok.ru/fb.do"

// Call calls an API method, such as "users.getInfo", and decodes the answer
// into a T. It sends params and method as the form of a POST, with Accept:
// application/json, by c, which is usually a client of this package. It does
// not modify params.
//
// T is any type that encoding/json can fill. Numbers that go into an interface
// become a json.Number, since ids of OK have more digits than a float64 holds.
// An empty answer leaves T zero, as null does.
//
// An API error is an [okerrors.Error], to be found by errors.As or
// errors.AsType, even if c leaves it in the answer. An answer that is neither
// JSON nor an API error, or has a status other than 2xx, is an *[AnswerError].
// A wrong method name or a nil client is an error before anything is sent.
func Call[T any](ctx context.Context, c *http.Client, method string, params url.Values) (T, error) {
	var result T
	r, err := newCall(ctx, c, method, params)
	if err != nil {
		return result, err
	}
	resp, err := c.Do(r)
	if err != nil {
		return result, err
	}
	defer body.Discard(resp)
	if err := decode(resp, method, &result); err != nil {
		return *new(T), err
	}
	return result, nil
}

// methodName is what a method's name looks like: group.name.
var methodName = regexp.MustCompile(`^[A-Za-z0-9]+(\.[A-Za-z0-9]+)+$`)

func newCall(ctx context.Context, c *http.Client, method string, params url.Values) (*http.Request, error) {
	if c == nil {
		return nil, errors.New("okru: Call: the client is nil; make one by NewClient")
	}
	if !methodName.MatchString(method) {
		return nil, fmt.Errorf("okru: Call: %q is no method; a method is named group.name, such as users.getInfo", method)
	}
	if m, ok := params[param.Method]; ok && (len(m) != 1 || m[0] != method) {
		return nil, errors.New("okru: Call: params has another method; leave it out")
	}
	form := params.Encode()
	if !params.Has(param.Method) {
		form = strings.TrimSuffix(param.Method+"="+url.QueryEscape(method)+"&"+form, "&")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form))
	if err != nil {
		return nil, fmt.Errorf("okru: Call: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	return r, nil
}

// decode fills result from the answer to a call of method.
func decode(resp *http.Response, method string, result any) error {
	if e, failed := okerrors.FromResponse(resp); failed {
		return e
	}
	if resp.StatusCode/100 != 2 {
		return newAnswerError(resp, method, nil, errors.New("neither a result nor an API error"))
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("okru: %s: the answer broke off: %w", method, err)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // FromResponse allows a byte order mark, too
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	if err := decodeJSON(text, result); err != nil {
		return newAnswerError(resp, method, text, err)
	}
	return nil
}

func decodeJSON(text []byte, result any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err := d.Decode(result)
	if err == nil {
		if _, rest := d.Token(); rest == io.EOF {
			return nil
		}
	}
	if err == nil || !json.Valid(text) {
		return errors.New("not JSON")
	}
	return fmt.Errorf("does not fit the type asked for: %w", err)
}

// An AnswerError is an answer that is neither what was asked for nor an API
// error: a page of a proxy, a status other than 2xx, JSON of another type.
type AnswerError struct {
	Method      string // the API method
	Status      int    // the HTTP status
	ContentType string // the media type, if sent
	Excerpt     string // how the answer begins, with the values of secret parameters taken out
	Err         error  // what is wrong with it
}

// maxExcerpt bounds how much of an answer an AnswerError shows.
const maxExcerpt = 256

func newAnswerError(resp *http.Response, method string, text []byte, err error) *AnswerError {
	if text == nil {
		text, _ = io.ReadAll(io.LimitReader(resp.Body, 4*maxExcerpt)) // what follows a cut is not needed to find a secret
	}
	excerpt := redact.Page(strings.ToValidUTF8(string(text[:min(len(text), 4*maxExcerpt)]), ""))
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
