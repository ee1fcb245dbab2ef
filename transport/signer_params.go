package transport

// This file signs the parameters of a call in a private copy of its request. It is
// the part of a call that costs most, so it works in memory that is used again;
// package param has the algorithms.

import (
	"bytes"
	"context"
	"crypto/md5"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-okru/okru/internal/lookahead"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/roundtrip"
)

// params is the scratch in which one call of a Signer is signed. It is pooled:
// what leaves it is the text of the query or form, and nothing else.
type params struct {
	list    param.List // has what every call says fixed, see newParams
	text    []byte     // the memory that encode uses
	dropped bool       // the query has a parameter that is not sent
}

// What newParams fixes, by index.
const (
	applicationKey = iota
	formatJSON
)

// newParams returns the scratch of a Signer for the application.
func newParams(key string) *params {
	p := new(params)
	_ = p.list.Parse(param.ApplicationKey+"="+url.QueryEscape(key)+"&"+param.Format+"=json", false) // nothing in it can be wrong
	p.list.Fix()
	return p
}

// maxPooled is the largest scratch that is used again, in bytes: that of a rare long
// form must not stay for good.
const maxPooled = 64 << 10

// size returns how much memory p holds, in bytes.
func (p *params) size() int { return cap(p.text) + p.list.Size() }

// parse collects the parameters of c, checked, completed and sorted.
func (p *params) parse(c *call, key string) error {
	p.list.Reset()
	p.list.AddFixed(applicationKey, c.isForm) // first, since it is so when sorted, nearly always
	if err := p.list.Parse(c.request.URL.RawQuery, false); err != nil {
		return inText("query", err)
	}
	if err := p.list.Parse(c.form, true); err != nil {
		return inText("form", err)
	}
	p.dropped = false
	names := p.list.Names()
	if names&(param.IsApplicationKey|param.IsSig|param.IsSession|param.IsSecret) != 0 {
		if err := p.check(key); err != nil {
			return err
		}
	}
	if names&param.IsFormat == 0 {
		p.list.AddFixed(formatJSON, c.isForm)
	}
	if twice := p.list.Sort(); twice >= 0 {
		return p.errTwice(twice)
	}
	return nil
}

// inText returns err, which Parse found in the query or the form.
func inText(which string, err error) error { return reject("%s: %w", which, err) }

// errTwice returns the error of a duplicate parameter. Which of two values
// counts differs between servers, and OK does not say which one it signs.
func (p *params) errTwice(i int) error {
	return reject("duplicate parameter %q; send a list as one value joined by commas", p.list.Key(i))
}

// check drops what the Signer sets, and returns an error for what a caller must
// not set.
func (p *params) check(key string) error {
	for i := 1; i < p.list.Len(); i++ {
		switch p.list.Name(i) {
		case param.IsSig, param.IsAccessToken, param.IsSessionKey: // see checkSession
			p.list.Drop(i)
			p.dropped = p.dropped || !p.list.InForm(i)
		case param.IsApplicationKey:
			if string(p.list.Value(i)) != key {
				return reject("the call has another %s than its Signer; leave it out", param.ApplicationKey)
			}
			p.list.Drop(0) // the one that was added: the caller's stays where it is
		case param.IsSecret:
			return reject("parameter %q is a secret and must not be sent; give it to the Signer or the token", p.list.Key(i))
		}
	}
	return nil
}

// checkSession returns an error if the call has an access_token or session_key that
// is not the session in k: it would run as another user.
func (p *params) checkSession(k *keys) error {
	for i := range p.list.Len() {
		if p.list.Name(i)&param.IsSession != 0 && string(p.list.Value(i)) != k.access {
			return reject("the call has a parameter %s that is not the session which it would use; leave it out, and set the session of a call by transport.WithToken", p.list.Key(i))
		}
	}
	return nil
}

// encode returns the parameters of the form or of the query as they travel,
// with the signature and the session if k has them. The signature is also
// returned by itself.
func (p *params) encode(form bool, k *keys) (text, sig string) {
	// Unsigned, or the query of a call whose signature is in its form.
	if k.secret == "" {
		p.text = p.list.AppendText(p.text[:0], form)
		return string(bytes.TrimSuffix(p.text, []byte("&"))), ""
	}
	all := append(p.list.AppendSigned(p.text[:0]), k.secret...)
	begin := len(all)
	all = append(p.list.AppendText(all, form), param.Sig+"="...)
	signature := len(all) - begin
	all = param.AppendMD5(all, all[:begin])
	p.text = append(all, k.query...)
	// What was signed comes first in the buffer, and what is sent follows it. So
	// both are made in one piece of memory, and one string is allocated.
	text = string(p.text[begin:])
	return text, text[signature:][:2*md5.Size]
}

// A signedCall is a private copy of the request of a call, with its parameters
// signed. It shares with the request whatever is not changed.
type signedCall struct {
	*signedCopy
	keys *keys  // with which it is signed
	sig  string // its signature, if it has one
	form string // its body, if that is a form
}

// A signedCopy is what one attempt of a call allocates, in one piece of memory
// of at most 512 bytes: Go makes larger ones more slowly, and a call in memory
// would take a twentieth longer with three pieces.
type signedCopy struct {
	request http.Request   // the copy, with the URL and the form below
	url     url.URL        // that of request
	body    lookahead.Body // will be that of the response
}

// sign makes the signed copy of the request of c.
func (p *params) sign(c *call, k *keys) {
	signed := &c.signed
	signed.signedCopy = &signedCopy{request: *c.request, url: *c.request.URL}
	signed.keys = k
	signed.request.URL = &signed.url
	if c.isForm {
		p.signForm(signed)
		return
	}
	signed.url.RawQuery, signed.sig = p.encode(false, k)
	if isReplayed(&signed.request) && !p.isSafe(c) {
		sendOnce(&signed.request)
	}
}

// signForm makes the form of a call, which gets all that the Signer adds.
// GetBody lets http.Transport send it again on a new connection, if the server
// has closed an idle one before it read anything.
func (p *params) signForm(signed *signedCall) {
	signed.form, signed.sig = p.encode(true, signed.keys)
	// The query of a form call is sent as the caller wrote it, unless something in
	// it must not be sent.
	if p.dropped || !param.Travels(signed.url.RawQuery) {
		signed.url.RawQuery, _ = p.encode(false, unsigned)
	}
	r, form := &signed.request, signed.form
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(form)), nil }
	r.Body, _ = r.GetBody()
	r.ContentLength = int64(len(form))
	r.TransferEncoding = nil
}

// isSafe reports whether c may run twice.
func (p *params) isSafe(c *call) bool {
	if method := okcall.MethodInPath(c.request.URL.Path); method != "" {
		return safeToRepeat(c.options, method)
	}
	if i := p.list.Find(param.IsMethod); i >= 0 {
		return safeToRepeat(c.options, string(p.list.Value(i))) // in place: the conversion does not allocate
	}
	return safeToRepeat(c.options, "")
}

// isReplayed reports whether http.Transport repeats r by itself, below all our
// layers, when an idle connection turns out broken: see isReplayable in net/http.
// TRACE, which it repeats as well, runs nothing, and an empty body would make it
// chunked.
func isReplayed(r *http.Request) bool {
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	// Such a header, even an empty one, claims that the server recognizes a repeat,
	// which the API does not.
	_, key := r.Header["Idempotency-Key"] // in this spelling only, as net/http looks for it
	_, xKey := r.Header["X-Idempotency-Key"]
	return key || xKey
}

// once returns a copy of r that is sent once: see sendOnce. r keeps its
// GetBody, by which its form can be read.
func once(r *http.Request) *http.Request {
	sent := *r
	sendOnce(&sent)
	return &sent
}

// sendOnce keeps http.Transport from repeating r. It repeats only requests that
// have no body, or a GetBody. An empty body that is not http.NoBody adds no
// header to a GET over HTTP/1.1, since the transport reads its first byte
// before it writes the header; a POST without a body becomes chunked.
//
// Over HTTP/2 it adds an empty DATA frame, and a write fails that the server
// has not processed, because it closes the connection or rejects the stream.
// net/http has no way that is as safe over HTTP/1.1 and costs less.
func sendOnce(r *http.Request) {
	r.GetBody = nil
	if r.Body == nil || r.Body == http.NoBody {
		r.Body, r.ContentLength = new(emptyBody), 0
	}
}

// An emptyBody is an empty body that is not http.NoBody. It remembers whether
// it was read.
type emptyBody struct{ read atomic.Bool }

func (b *emptyBody) Read([]byte) (int, error) { b.read.Store(true); return 0, io.EOF }
func (b *emptyBody) wasRead() bool            { return b.read.Load() }
func (*emptyBody) Close() error               { return nil }

// formOf returns the text of r's form and closes its body. It reads Body and
// not GetBody, which returns the old text after a layer that replaced Body
// only.
func formOf(r *http.Request) (string, error) {
	if okcall.Header(r.Header, "Content-Encoding") != "" {
		r.Body.Close()
		return "", reject("a form with a Content-Encoding cannot be signed; send it as it is")
	}
	text, err := readForm(r)
	switch {
	case err != nil:
		return "", reject("the form cannot be read: %w", err)
	case len(text) > okcall.MaxForm:
		return "", reject("the form is longer than %d MiB; upload files to the URL that a getUploadUrl method returns", okcall.MaxForm>>20)
	}
	return text, nil
}

// readForm reads the form of r, up to one byte more than okcall.MaxForm.
func readForm(r *http.Request) (string, error) {
	if r.GetBody == nil {
		text, err := readStream(r.Context(), r.Body)
		return string(text), err
	}
	defer r.Body.Close() // it is in memory: reading it does not wait
	if text := okcall.InMemory(r.Body); text != nil && text.Len() <= okcall.MaxForm {
		var form strings.Builder
		_, err := io.Copy(&form, r.Body) // in one piece
		return form.String(), err
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, okcall.MaxForm+1))
	return string(text), err
}

// readStream reads a body that others feed, such as that of a request which a
// proxy passes on, no longer than ctx lasts. Like http.Transport, it may leave
// a Read behind that ends with the body.
func readStream(ctx context.Context, stream io.ReadCloser) ([]byte, error) {
	var once sync.Once
	end := func() { once.Do(func() { stream.Close() }) }
	if ctx.Done() == nil {
		defer end()
		return io.ReadAll(io.LimitReader(stream, okcall.MaxForm+1))
	}
	type result struct {
		text []byte
		err  error
	}
	// The channel has room for the result, so that the goroutine ends although the
	// caller has left.
	read := make(chan result, 1)
	go func() {
		text, err := io.ReadAll(io.LimitReader(stream, okcall.MaxForm+1))
		end()
		read <- result{text, err}
	}()
	select {
	case r := <-read:
		return r.text, r.err
	case <-ctx.Done():
		go end() // a server's body waits for its reader
		return nil, roundtrip.ContextErr(ctx)
	}
}
