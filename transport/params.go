package transport

import (
	"crypto/md5"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/go-okru/okru/internal/apicall"
	"github.com/go-okru/okru/internal/param"
)

// params is the scratch in which one call is signed. It is pooled: what
// leaves it is the text of the query or form, and nothing else.
type params struct {
	list    param.List
	text    []byte
	method  []byte // decoded; of list's memory
	dropped bool   // the query has a sig or access_token of the caller's
}

var pool = sync.Pool{New: func() any { return new(params) }}

func getParams() *params { return pool.Get().(*params) }

// maxPooled keeps the scratch of a rare long form from staying for good.
const maxPooled = 64 << 10

func (p *params) release() {
	if cap(p.text)+p.list.Size() <= maxPooled {
		pool.Put(p)
	}
}

// An application is what every call says of its application, escaped once.
type application struct {
	key, pair string
	plain     bool // nothing in it is escaped
}

func newApplication(key string) application {
	escaped := url.QueryEscape(key)
	return application{key: key, pair: param.ApplicationKey + "=" + escaped, plain: escaped == key}
}

func (a application) addTo(l *param.List, isForm bool) {
	if a.plain {
		l.AddPlain(len(param.ApplicationKey), a.pair, isForm)
		return
	}
	l.AddText(param.ApplicationKey, a.pair, isForm)
}

// parse collects the parameters of c, checked and sorted.
func (p *params) parse(c *call, app application) error {
	p.list.Reset()
	if err := p.list.Parse(c.request.URL.RawQuery, false); err != nil {
		return refuse("query: %w", err)
	}
	if err := p.list.Parse(c.form, true); err != nil {
		return refuse("form: %w", err)
	}
	if err := p.complete(c.isForm, app); err != nil {
		return err
	}
	if err := p.list.Sort(); err != nil {
		return refuse("%w", err)
	}
	return nil
}

// complete takes out what is ours to set, and adds what is missing.
func (p *params) complete(isForm bool, app application) error {
	p.method, p.dropped = nil, false
	hasKey, hasFormat, dropped := false, false, false
	for i := range p.list.Len() {
		switch string(p.list.Key(i)) {
		case param.Sig, param.AccessToken:
			p.list.Drop(i)
			dropped = true
			p.dropped = p.dropped || !p.list.InForm(i)
		case param.ApplicationKey:
			if hasKey = true; string(p.list.Value(i)) != app.key {
				return refuse("the call has another %s than its Signer; leave it out", param.ApplicationKey)
			}
		case param.Format:
			hasFormat = true
		case param.Method:
			p.method = p.list.Value(i)
		case param.NeverSent[0], param.NeverSent[1], param.NeverSent[2]:
			return refuse("parameter %q is a secret and must not be sent; give it to the Signer or the token", p.list.Key(i))
		}
	}
	if dropped {
		p.list.Compact()
	}
	if !hasKey {
		app.addTo(&p.list, isForm)
	}
	if !hasFormat {
		p.list.AddPlain(len(param.Format), param.Format+"=json", isForm)
	}
	return nil
}

// signature returns the signature of the list.
func (p *params) signature(secret string) [2 * md5.Size]byte {
	p.text = append(p.list.AppendSigned(p.text[:0]), secret...)
	sum := md5.Sum(p.text)
	var out [2 * md5.Size]byte
	hex.Encode(out[:], sum[:])
	return out
}

// encode returns the parameters of the form or of the query as they travel,
// with the signature and the session if k has them.
func (p *params) encode(form bool, k *keys) string {
	var sig [2 * md5.Size]byte
	if k.secret != "" {
		sig = p.signature(k.secret)
	}
	text := p.list.AppendText(p.text[:0], form)
	if k.secret != "" {
		text = append(append(separate(text), param.Sig+"="...), sig[:]...)
	}
	if k.query != "" {
		text = append(separate(text), k.query...)
	}
	p.text = text
	return string(text)
}

func separate(text []byte) []byte {
	if len(text) > 0 {
		text = append(text, '&')
	}
	return text
}

// A signedCopy is a request with its URL in one piece of memory. It is at the
// same time the empty body of a call that must be sent once: one that is no
// other call's, and costs nothing.
type signedCopy struct {
	request http.Request
	url     url.URL
}

// sign returns a copy of c's request with its parameters signed by k. The copy
// shares with the request whatever is not changed.
func (p *params) sign(c *call, k *keys) *http.Request {
	signed := &signedCopy{request: *c.request, url: *c.request.URL}
	signed.request.URL = &signed.url
	if c.isForm {
		p.signForm(signed, k)
		return &signed.request
	}
	signed.url.RawQuery = p.encode(false, k)
	if isReplayed(c.request.Method) && !p.isSafe(c) {
		signed.sendOnce()
	}
	return &signed.request
}

func (p *params) signForm(signed *signedCopy, k *keys) {
	form := p.encode(true, k)
	if p.dropped || !param.Travels(signed.url.RawQuery) {
		signed.url.RawQuery = p.encode(false, unsigned)
	}
	r := &signed.request
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(form)), nil }
	r.Body, _ = r.GetBody()
	r.ContentLength = int64(len(form))
	r.TransferEncoding = nil
}

// isSafe tells whether c may run twice.
func (p *params) isSafe(c *call) bool {
	if method, _ := apicall.Path(c.request.URL.Path); method != "" {
		return safeToRepeat(c.said, method)
	}
	return safeToRepeat(c.said, string(p.method)) // in place: the conversion does not allocate
}

// isReplayed tells whether http.Transport repeats requests of this verb by
// itself, below all our layers, when an idle connection turns out broken: see
// isReplayable in net/http. TRACE, which it repeats as well, runs nothing, and
// an empty body would make it chunked.
func isReplayed(verb string) bool {
	switch verb {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return false
}

// sendOnce keeps http.Transport from repeating the request. It repeats only
// what has no body or can have it again; an empty body that is not http.NoBody
// adds no header, since the transport looks into it first.
func (c *signedCopy) sendOnce() {
	r := &c.request
	r.GetBody = nil
	if r.Body == nil || r.Body == http.NoBody {
		r.Body, r.ContentLength = c, 0
	}
}

// Read and Close are those of the empty body.
func (*signedCopy) Read([]byte) (int, error) { return 0, io.EOF }
func (*signedCopy) Close() error             { return nil }
