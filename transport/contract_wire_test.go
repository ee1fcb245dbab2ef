package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/transport"
)

// Package rttest checks the contract of net/http in memory. Here the whole stack
// keeps it over real connections, where net/http itself reads the request body in
// another goroutine, and one connection is all there is.

const (
	wireTrue  = "true"
	wireError = `{"error_code":10,"error_msg":"PERMISSION_DENIED : x"`
)

var errHungUp = errors.New("the caller hung up")

// A wireCase is one exchange.
type wireCase struct {
	name    string
	serve   http.HandlerFunc
	request func(ctx context.Context, body io.ReadCloser) *http.Request
	body    func() io.Reader // of the request; nil: none
	hangUp  bool             // the server does not end, and the caller cancels once serve has returned
	unread  bool             // the caller closes the response at once
	hints   int32            // interim responses that the caller's httptrace must see
	want    string           // what the response says, and its trailer
	wantErr string           // a part of the error
}

// wirePost is a call whose parameters are in its query and whose body is its own.
func wirePost(ctx context.Context, body io.ReadCloser) *http.Request {
	r, _ := http.NewRequestWithContext(ctx, "POST", "https://api.ok.ru/fb.do?method=users.getInfo", body)
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	return r
}

func wireGet(ctx context.Context, _ io.ReadCloser) *http.Request {
	r, _ := http.NewRequestWithContext(ctx, "GET", readURL, nil)
	return r
}

func wireForm(ctx context.Context, body io.ReadCloser) *http.Request {
	r, _ := http.NewRequestWithContext(ctx, "POST", "https://api.ok.ru/fb.do", body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func serveText(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, text)
	}
}

func serveNothing(http.ResponseWriter, *http.Request) {}

var wireCases = []wireCase{
	{name: "GET", serve: serveText(wireTrue), request: wireGet, want: wireTrue},
	{name: "API error", serve: serveText(wireError + "}"), request: wireGet, wantErr: "10"},
	{name: "long API error", serve: serveText(wireError + `,"error_data":"` + strings.Repeat("x", 1<<20) + `"}`), request: wireGet, wantErr: "10"},
	{name: "form", serve: serveText(wireTrue), request: wireForm, want: wireTrue,
		body: func() io.Reader { return strings.NewReader("method=users.getInfo&uids=1") }},
	{name: "multipart", serve: serveText(wireTrue), request: wirePost, want: wireTrue,
		body: func() io.Reader { return strings.NewReader(strings.Repeat("x", 1<<20)) }},
	{name: "response before the body was read", request: wirePost, want: wireTrue,
		serve: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, wireTrue)
		},
		body: func() io.Reader { return strings.NewReader(strings.Repeat("x", 64<<10)) }},
	{name: "a trailer of the response", request: wireGet, want: wireTrue + " end",
		serve: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Trail")
			_, _ = io.WriteString(w, wireTrue)
			w.Header().Set("X-Trail", "end")
		}},
	{name: "early hints", request: wireGet, want: wireTrue, hints: 1,
		serve: func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			serveText(wireTrue)(w, r)
		}},
	{name: "a long response that is not read", request: wireGet, unread: true,
		serve: serveText(`["` + strings.Repeat("x", 1<<20) + `"]`)},
	{name: "the request body fails", serve: serveText(wireTrue), request: wirePost, wantErr: "the file is gone",
		body: func() io.Reader {
			return io.MultiReader(strings.NewReader("--x"), failing{errors.New("the file is gone")})
		}},
	{name: "canceled before the response", serve: serveNothing, request: wireGet, hangUp: true},
	{name: "canceled within the response", request: wireGet, hangUp: true,
		serve: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `["begins and does not end, for longer than what is read ahead`)
			_ = http.NewResponseController(w).Flush()
		}},
	{name: "canceled while the body is sent", serve: serveNothing, request: wirePost, hangUp: true,
		body: func() io.Reader { return bottomless{} }},
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// bottomless fills every buffer.
type bottomless struct{}

func (bottomless) Read(p []byte) (int, error) { return copy(p, "x"), nil }

// A wireBody reports by a channel that it was closed.
type wireBody struct {
	io.Reader
	closed chan struct{}
	once   sync.Once
}

func (b *wireBody) Close() error { b.once.Do(func() { close(b.closed) }); return nil }

func TestStackContractOverConnections(t *testing.T) {
	for _, protocol := range []string{http1, http2} {
		for _, test := range wireCases {
			t.Run(protocol+", "+test.name, func(t *testing.T) { test.run(t, protocol) })
		}
	}
}

func (test wireCase) run(t *testing.T, protocol string) {
	ctx, hangUp := context.WithCancelCause(t.Context())
	defer hangUp(nil)
	ended := make(chan struct{})
	var isOver atomic.Bool // the exchange is over, and the server responds at once
	base := over(t, protocol, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isOver.Load() {
			serveText(wireTrue)(w, r)
			return
		}
		test.serve(w, r)
		if test.hangUp {
			hangUp(errHungUp)
			<-ended // and not when the client has gone: a late response may still arrive
		}
	}))
	t.Cleanup(func() { close(ended) }) // before the server closes, which waits for its handlers
	base.MaxConnsPerHost = 1
	rt := transport.Chain(base, okerrors.Decode, transport.Retry{Max: -1}.Wrap, signer().Wrap)

	var hints atomic.Int32
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got1xxResponse: func(int, textproto.MIMEHeader) error { hints.Add(1); return nil },
	})
	body := &wireBody{closed: make(chan struct{})}
	var sent io.ReadCloser
	if test.body != nil {
		body.Reader, sent = test.body(), body
	}
	r := test.request(ctx, sent)
	before := *r
	before.Header, before.URL = r.Header.Clone(), new(*r.URL)

	switch got, err := exchange(rt, r, test.unread); {
	case test.hangUp: // the body of net/http returns one of the two
		if !errors.Is(err, errHungUp) && !errors.Is(err, context.Canceled) {
			t.Errorf("%q, %v; want the end of the context", got, err)
		}
	case test.wantErr != "":
		if err == nil || !strings.Contains(err.Error(), test.wantErr) {
			t.Errorf("%q, %v; want an error with %q", got, err, test.wantErr)
		}
	case err != nil || got != test.want:
		t.Errorf("%q, %v; want %q", got, err, test.want)
	}
	if hints.Load() != test.hints {
		t.Errorf("the caller's httptrace saw %d interim responses, want %d", hints.Load(), test.hints)
	}
	if sent != nil {
		select {
		case <-body.closed:
		case <-time.After(10 * time.Second):
			t.Error("the request body was not closed")
		}
	}
	if !reflect.DeepEqual(r.URL, before.URL) || !reflect.DeepEqual(r.Header, before.Header) || r.Body != before.Body ||
		r.Method != before.Method || r.ContentLength != before.ContentLength {
		t.Errorf("the request was changed from %+v to %+v", &before, r)
	}
	// There is one connection: a response that was not closed would keep it.
	isOver.Store(true)
	free, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	if got, err := exchange(rt, wireGet(free, nil), false); got != wireTrue || err != nil {
		t.Errorf("the next call on the connection: %q, %v", got, err)
	}
}

// exchange sends r, and returns what the response says and its trailer. The error
// is that of the call or of reading the response. With unread it closes the
// response at once.
func exchange(rt http.RoundTripper, r *http.Request, unread bool) (string, error) {
	resp, err := rt.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.Request != r {
		return "", errors.New("the Request of the response is another one")
	}
	if unread {
		return "", nil
	}
	text, err := io.ReadAll(resp.Body)
	return strings.TrimSpace(string(text) + " " + resp.Trailer.Get("X-Trail")), err
}
