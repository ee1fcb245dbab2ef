package oktest

import (
	"cmp"
	"io"
	"net/http"
	"strconv"
	"time"

	okerrors "github.com/go-okru/okru/errors"
)

// Names of what a [Fault] can apply to besides methods of the API, and that a
// [Call] has as its Method.
const (
	TokenEndpoint = "oauth/token.do"
	AuthorizePage = "oauth/authorize"
	LoginPages    = "dk" // login, consent and the checks
	PhotoUpload   = "upload/photo"
	VideoUpload   = "upload/video" // and the request for its status
)

// HTMLPage is a web page such as a balancer sends instead of a response, for
// the Body of a [Fault].
const HTMLPage = "<!DOCTYPE html>\n<html><head><title>OK</title></head>" +
	"<body><h1>The site is being maintained</h1><p>Please come back later.</p></body></html>\n"

// A Fault is what goes wrong with some calls. [Server.Inject] makes it happen.
//
// Reset, Code, Error, Status and Body each replace the response, and the method
// does not run, unless AfterRun is set. Without any of them the method runs,
// and the other fields change its response.
type Fault struct {
	// Method is what goes wrong: a method such as "users.getInfo", or one of
	// [TokenEndpoint], [AuthorizePage], [LoginPages], [PhotoUpload],
	// [VideoUpload]. If empty, every method of the API.
	Method string

	// Match, if set, reports whether the fault applies to a call. It gets what
	// is known before the call is checked. It may be called by several goroutines at once and
	// must not modify the call.
	Match func(Call) bool

	// Times is how many calls go wrong. If 0, all until [Server.ClearFaults].
	Times int

	// AfterRun lets the method run before the response is replaced: the caller
	// cannot know that it ran. A call that is rejected does not run, and the
	// response that rejects it is replaced too.
	AfterRun bool

	// Reset breaks the connection without a response, by a TCP reset.
	Reset bool

	// Code answers with this API error, and Error with this one, in HTTP
	// status 200 unless Status or Error.Status is set. For anything
	// but a method of the API use Status and Body.
	Code  okerrors.Code
	Error *okerrors.Error

	// Status answers with this HTTP status. Without Body or Code, an HTML
	// page is its body.
	Status int

	// Body is the body of the response: text/html if it looks like that, else
	// text/plain, unless Header has a Content-Type.
	Body string

	// Header is added to every response.
	Header http.Header

	// RetryAfter, if positive, is sent as Retry-After, in seconds, rounded
	// up. For a date, use Header.
	RetryAfter time.Duration

	// Delay passes before the response, after the method ran, and Pause in the
	// middle of its body. Both end with the request.
	Delay, Pause time.Duration

	// CutAfter, if positive, breaks the connection of an upload by a TCP reset
	// once this many bytes of its body have arrived. A resumable upload keeps
	// them. A shorter body is not cut.
	CutAfter int64

	// Truncate ends the connection in the middle of the body.
	Truncate bool

	// Chunked sends the body without announcing its length.
	Chunked bool

	// Gzip compresses the body, whether the request accepts that or not.
	Gzip bool
}

type fault struct {
	Fault
	left int // with Times: how often yet
}

// Inject adds a fault. If several apply to a call, the first in the order of
// injection that is not used up is used. Faults are applied before all checks,
// so that a call need not be correct.
func (s *Server) Inject(f Fault) {
	f.Header = f.Header.Clone()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &fault{Fault: f, left: f.Times})
}

// ClearFaults ends all faults.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// withFault answers by run, changed by the fault that applies to c, if any.
// fail returns the response for an API error.
func (s *Server) withFault(c *Call, fail func(error) response, run func() response) response {
	return s.faultOf(c).apply(c, fail, run)
}

// apply answers by run, changed by f unless that is nil.
func (f *Fault) apply(c *Call, fail func(error) response, run func() response) response {
	if f == nil {
		return run()
	}
	c.Faulted = true
	var a response
	if !f.replaces() || f.AfterRun {
		a = run()
	}
	if f.replaces() {
		c.Code, c.Refusal = 0, ""
		a = f.instead(fail)
	}
	return f.spoil(a)
}

// faultOf takes one use of the first fault that applies to c. The caller's
// Match runs without the lock.
func (s *Server) faultOf(c *Call) *Fault {
	s.mu.Lock()
	faults := s.faults
	s.mu.Unlock()
	for _, f := range faults {
		if f.appliesTo(c) && s.use(f) {
			return &f.Fault
		}
	}
	return nil
}

func (s *Server) use(f *fault) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		return true
	}
	f.left--
	return f.left >= 0
}

func (f *Fault) appliesTo(c *Call) bool {
	if f.Method == "" && isPage(c.Method) || f.Method != "" && f.Method != c.Method {
		return false
	}
	return f.Match == nil || f.Match(*c)
}

// isPage reports whether method is no method of the API.
func isPage(method string) bool {
	switch method {
	case TokenEndpoint, AuthorizePage, LoginPages, PhotoUpload, VideoUpload:
		return true
	}
	return false
}

// cut makes the body of r break off if f has CutAfter. The returned function
// reports whether that has happened.
func (f *Fault) cut(r *http.Request) func() bool {
	if f == nil || f.CutAfter <= 0 || r.Body == nil {
		return func() bool { return false }
	}
	b := &cutBody{ReadCloser: r.Body, left: f.CutAfter}
	r.Body = b
	return func() bool { return b.left == 0 }
}

// A cutBody is a body that breaks off.
type cutBody struct {
	io.ReadCloser
	left int64
}

// Read implements [io.Reader].
func (b *cutBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func (f *Fault) replaces() bool {
	return f.Reset || f.Code != 0 || f.Error != nil || f.Status != 0 || f.Body != ""
}

// instead returns the response that replaces that of the method.
func (f *Fault) instead(fail func(error) response) response {
	if f.Error != nil || f.Code != 0 {
		err := okerrors.Error{Code: f.Code}
		if f.Error != nil {
			err = *f.Error
		}
		err.Status = cmp.Or(f.Status, err.Status)
		return fail(&err)
	}
	if f.Body == "" {
		return statusPage(f.Status)
	}
	return response{status: f.Status}.with(http.DetectContentType([]byte(f.Body)), f.Body)
}

// statusPage answers as a balancer does, by an HTML page that shows the status.
func statusPage(status int) response {
	text := http.StatusText(status)
	return response{status: status}.with(htmlType, "<html><head><title>"+text+"</title></head><body><h1>"+text+"</h1></body></html>\n")
}

// spoil applies the rest of f to a response.
func (f *Fault) spoil(a response) response {
	a.reset = f.Reset
	a.delay, a.pause = f.Delay, f.Pause
	a.truncate, a.chunked, a.gzip = f.Truncate, f.Chunked, f.Gzip
	a.header = a.header.Clone()
	if a.header == nil {
		a.header = make(http.Header)
	}
	for name, values := range f.Header {
		a.header[http.CanonicalHeaderKey(name)] = values
	}
	return a.withRetryAfter(f.RetryAfter)
}

// withRetryAfter adds the header to a if d is positive.
func (a response) withRetryAfter(d time.Duration) response {
	if d > 0 {
		a.header.Set("Retry-After", strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10))
	}
	return a
}
