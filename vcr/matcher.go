package okvcr

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"

	"github.com/go-okru/okru/internal/redact"
)

// Matcher reports whether a recorded request is the same call as r: the same
// HTTP method, host, path and parameters, in any order, in the query or in a
// form, and the same body if it is no form. It ignores secrets, signatures,
// application_key and client_id, present or not, all headers, and the
// boundaries of multipart bodies. It is a [cassette.MatcherFunc].
//
// Equal calls are replayed in the order in which they were recorded. [Hook] may
// have cleaned the recording or not. Matcher is safe for concurrent use by
// multiple goroutines.
func Matcher(r *http.Request, recorded cassette.Request) bool {
	body, err := bodyOf(r)
	if err != nil {
		return false
	}
	live, err := callOf(r.Method, r.URL.String(), r.Header, body)
	if err != nil {
		return false
	}
	if recorded.Body == "" && mediaType(recorded.Headers) == formType && len(recorded.Form) > 0 {
		// If the layer below the recorder reads a form by GetBody, as the
		// Signer does, go-vcr has only the parsed parameters.
		recorded.URL, _, _ = strings.Cut(recorded.URL, "?")
		recorded.Body = recorded.Form.Encode()
	}
	other, err := callOf(recorded.Method, recorded.URL, recorded.Headers, recorded.Body)
	return err == nil && live.equal(other)
}

// bodyOf reads the body of r and leaves it to be read again.
func bodyOf(r *http.Request) (string, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return "", nil
	}
	text, err := io.ReadAll(r.Body)
	r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(text))
	return string(text), err
}

var numbered = regexp.MustCompile(`\[redacted-\d+\]`)

// A call holds those parts of a request that are compared.
type call struct {
	method, address string
	params          []string // name=value, sorted
	body            string   // unless it is a form
}

func callOf(method, address string, header http.Header, body string) (call, error) {
	c := newCleaner()
	u, err := url.Parse(address)
	if err != nil {
		return call{}, err
	}
	header = c.header(header)
	text, err := c.body(body, header)
	if err != nil {
		return call{}, err
	}
	k := call{method: method, address: u.Scheme + "://" + strings.ToLower(u.Host) + c.unquote(u.EscapedPath())}
	if method == "" {
		k.method = http.MethodGet
	}
	k.add(c, u.RawQuery)
	switch kind, args, _ := mime.ParseMediaType(header.Get("Content-Type")); {
	case kind == formType:
		k.add(c, text)
	case args["boundary"] != "":
		k.body = strings.ReplaceAll(text, "--"+args["boundary"], "")
	default:
		k.body = unnumbered(text)
	}
	slices.Sort(k.params)
	return k, nil
}

// add adds the parameters of a query or form, without those of the caller.
func (k *call) add(c *cleaner, text string) {
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name = unescape(name); pair != "" && !isOwn(name) {
			k.params = append(k.params, name+"="+unnumbered(c.any(unescape(value))))
		}
	}
}

func (k call) equal(other call) bool {
	return k.method == other.method && k.address == other.address && k.body == other.body && slices.Equal(k.params, other.params)
}

// unnumbered returns text with all marks alike: a request may contain a secret
// of an earlier response.
func unnumbered(text string) string { return numbered.ReplaceAllLiteralString(text, redact.Mark) }
