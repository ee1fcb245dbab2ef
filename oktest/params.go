package oktest

import (
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	okerrors "github.com/go-okru/okru/errors"
)

// maxForm bounds a form. OK's own bound is not documented.
const maxForm = 10 << 20

// readParams returns the parameters of r: those of the query, and all. The
// error says why there are none, or not all of them. A parameter that comes
// twice is in the result twice.
func readParams(r *http.Request) (query, all url.Values, err error) {
	query, err = parseQuery("query", r.URL.RawQuery)
	form, formErr := readForm(r)
	all = cloneValues(query)
	for name, values := range form {
		all[name] = append(all[name], values...)
	}
	if err == nil {
		err = formErr
	}
	return query, all, err
}

func readForm(r *http.Request) (url.Values, error) {
	if r.Body == nil {
		return nil, nil
	}
	if r.Method != http.MethodPost || !isForm(r) {
		// Nobody wants this body, but until it is read net/http does not
		// notice that the client has gone.
		_, err := io.CopyN(io.Discard, r.Body, maxForm)
		return nil, broken(err)
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" {
		return nil, fail(okerrors.CodeRequest, "oktest takes no form with Content-Encoding "+coding)
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err != nil {
		return nil, broken(err)
	}
	if len(text) > maxForm {
		return nil, fail(okerrors.CodeTooLongRequestSize, fmt.Sprintf("The form has more than %d bytes", maxForm))
	}
	return parseQuery("form", string(text))
}

func broken(err error) error {
	if err == nil || err == io.EOF {
		return nil
	}
	return fail(okerrors.CodeRequest, "The body broke off: "+err.Error())
}

func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// parseQuery parses the text of a query or a form. It does not repeat the text
// in its error, which may be a secret.
func parseQuery(where, text string) (url.Values, error) {
	values, err := url.ParseQuery(text)
	switch {
	case err == nil:
		return values, nil
	case strings.Contains(text, ";"):
		return values, fail(okerrors.CodeRequest, "The "+where+" has a raw ; in it: separate parameters by &, and write %3B in a value")
	default:
		return values, fail(okerrors.CodeRequest, "The "+where+" has a percent sign that begins no escape: write %25")
	}
}

// repeated returns the first parameter that was sent more than once, or "".
func repeated(params url.Values) string {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if len(params[name]) > 1 {
			return name
		}
	}
	return ""
}
