package okerrors_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/roundtrip"
	"github.com/go-okru/okru/transport"
)

const call = "https://api.ok.ru/fb.do?method=users.getCurrentUser"

func TestDecode(t *testing.T) {
	body := &source{chunks: []string{failure}}
	resp, err := okerrors.Decode(transport.Func(func(*http.Request) (*http.Response, error) {
		return respondFrom(body), nil
	})).RoundTrip(request(t, call))

	if resp != nil {
		t.Error("a response comes with the error")
	}
	e, ok := err.(*okerrors.Error)
	if !ok || e.Code != 102 || e.Method != "users.getCurrentUser" || e.Status != 200 {
		t.Errorf("RoundTrip = %#v, want the bare *Error", err)
	}
	if body.closes != 1 {
		t.Errorf("the body was closed %d times", body.closes)
	}
}

func TestDecodeGraph(t *testing.T) {
	_, err := okerrors.Decode(always(failure)).RoundTrip(request(t, "https://api.ok.ru/graph/me/messages/chat:C1"))
	if e, ok := err.(*okerrors.Error); !ok || e.Code != 102 || e.Method != "graph/me/messages/{id}" {
		t.Errorf("RoundTrip = %#v, want the bare *Error", err)
	}
}

func TestDecodeThroughClient(t *testing.T) {
	client := &http.Client{Transport: okerrors.Decode(always(failure))}
	_, err := client.Get(call)
	if !errors.Is(err, okerrors.CodeParamSessionExpired) || !errors.Is(err, okerrors.ErrSession) {
		t.Errorf("Get: %v", err)
	}
	const want = `Get "` + call + `": okru: users.getCurrentUser: PARAM_SESSION_EXPIRED (102): Session expired`
	if err == nil || err.Error() != want {
		t.Errorf("Get: %v\nwant %s", err, want)
	}
	if inner, ok := errors.AsType[*url.Error](errors.Unwrap(err)); ok {
		t.Errorf("wrapped twice: %v", inner)
	}
}

func TestDecodePasses(t *testing.T) {
	for name, tt := range map[string]struct{ url, body string }{
		"success":             {call, success},
		"array":               {call, "[]"},
		"nothing":             {call, ""},
		"loopback":            {"http://127.0.0.1:8080/fb.do", failure},
		"another host":        {"https://example.com/fb.do?method=users.getInfo", failure},
		"a host of ok.ru":     {"https://connect.ok.ru/fb.do", failure},
		"method in the path":  {"https://api.ok.ru/api/users/getInfo", success},
		"foreign path":        {"https://example.com/v1/rates", failure},
		"upload":              {"https://up.example.com/uploadImage?apiToken=x", failure},
		"Graph API":           {"https://api.ok.ru/graph/me/chats", success},
		"no path of Graph":    {"https://api.ok.ru/graphs/me", failure},
		"token endpoint":      {"https://api.ok.ru/oauth/token.do", failure},
		"path below a method": {"https://api.ok.ru/api/users/getInfo/x", failure},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(t, tt.url)
			resp, err := okerrors.Decode(always(tt.body)).RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			if resp.Request != r {
				t.Error("resp.Request is not the request")
			}
			mustRead(t, resp, tt.body)
		})
	}
}

// TestDecodeVerdict passes on what the layer below found, without another
// look, and looks where no layer did.
func TestDecodeVerdict(t *testing.T) {
	found := &okerrors.Error{Code: 8}
	hosts, err := okcall.ParseHosts([]string{"proxy.example"})
	if err != nil {
		t.Fatal(err)
	}
	const proxy, other = "https://proxy.example/fb.do", "https://other.example/fb.do"
	for name, tt := range map[string]struct {
		url     string
		below   below
		foreign bool // a layer in between hides the verdict
		want    error
		sees    bool // Decode inspects
	}{
		"a layer found an error":          {url: proxy, below: below{v: roundtrip.Verdict{Inspected: true, Err: found}}, want: found},
		"a layer found none":              {url: call, below: below{v: roundtrip.Verdict{Inspected: true}}},
		"no layer inspected":              {url: proxy, want: okerrors.CodeParamSessionExpired, sees: true},
		"a foreign layer is in between":   {url: proxy, below: below{v: roundtrip.Verdict{Inspected: true, Err: found}}, foreign: true, want: okerrors.CodeParamSessionExpired, sees: true},
		"not one of the hosts":            {url: call},
		"not one of the hosts, foreign":   {url: other, foreign: true},
		"an error of the foreign network": {url: proxy, below: below{err: io.ErrUnexpectedEOF}, want: io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			tt.below.hosts = hosts
			var next http.RoundTripper = &tt.below
			if tt.foreign {
				next = foreign{&tt.below}
			}
			d := okerrors.Decode(next).(roundtrip.Verdicter)
			resp, v, err := d.RoundTripVerdict(request(t, tt.url))
			if tt.want == nil && (err != nil || resp == nil || v.Err != nil) || tt.want != nil && (!errors.Is(err, tt.want) || resp != nil) {
				t.Errorf("RoundTrip = %v, %v; want %v", resp, err, tt.want)
			}
			if looked := tt.below.body.reads > 0; tt.below.err == nil && tt.want != found && looked != tt.sees {
				t.Errorf("the body was inspected: %v, want %v", looked, tt.sees)
			}
			if inspected := v.Inspected; inspected != (tt.sees || tt.below.v.Inspected && !tt.foreign) {
				t.Errorf("Inspected = %v", inspected)
			}
		})
	}
}

// below is a layer that has a verdict and knows the hosts, as a Signer does.
type below struct {
	v     roundtrip.Verdict
	err   error
	hosts *okcall.Hosts
	body  source
}

func (b *below) APIHosts() *okcall.Hosts { return b.hosts }

func (b *below) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, _, err := b.RoundTripVerdict(r)
	return resp, err
}

func (b *below) RoundTripVerdict(*http.Request) (*http.Response, roundtrip.Verdict, error) {
	if b.err != nil {
		return nil, roundtrip.Verdict{}, b.err
	}
	b.body.chunks = []string{failure}
	return respondFrom(&b.body), b.v, nil
}

// foreign is a layer of another author.
type foreign struct{ next http.RoundTripper }

func (f foreign) Unwrap() http.RoundTripper { return f.next }

func (f foreign) RoundTrip(r *http.Request) (*http.Response, error) { return f.next.RoundTrip(r) }

// TestDecodeOutcome returns an API error that rejects the call, of which an
// earlier attempt may have run, as layers below have found out.
func TestDecodeOutcome(t *testing.T) {
	rejected := &okerrors.Error{Code: okerrors.CodeFloodBlocked}
	for _, mayHaveRun := range []bool{false, true} {
		_, err := okerrors.Decode(&below{v: roundtrip.Verdict{Inspected: true, Err: rejected, MayHaveRun: mayHaveRun}}).RoundTrip(request(t, call))
		if got := errors.Is(err, okerrors.ErrOutcomeUnknown); got != mayHaveRun {
			t.Errorf("may have run: %v, but ErrOutcomeUnknown is %v", mayHaveRun, got)
		}
		if e, ok := errors.AsType[*okerrors.Error](err); !ok || e != rejected || err.Error() != rejected.Error() {
			t.Errorf("may have run: %v, but the error is %v", mayHaveRun, err)
		}
		if !errors.Is(err, okerrors.ErrThrottled) || errors.Is(err, okerrors.ErrSession) {
			t.Errorf("may have run: %v, but %v is of another class", mayHaveRun, err)
		}
	}
}

// TestDecodeWithoutURL leaves an odd request to the next RoundTripper.
func TestDecodeWithoutURL(t *testing.T) {
	resp, err := okerrors.Decode(always(failure)).RoundTrip(new(http.Request))
	if err != nil {
		t.Fatal(err)
	}
	mustRead(t, resp, failure)
}

func TestDecodePassesErrors(t *testing.T) {
	broken := errors.New("broken")
	body := &source{chunks: []string{success}}
	for _, wrong := range []*http.Response{nil, respondFrom(body)} {
		resp, err := okerrors.Decode(transport.Func(func(*http.Request) (*http.Response, error) {
			return wrong, broken
		})).RoundTrip(request(t, call))
		if resp != nil || err != broken {
			t.Errorf("RoundTrip = %v, %v", resp, err)
		}
	}
	if body.closes != 1 {
		t.Error("the body of a response that came with an error stays open")
	}
}

// TestDecodeContext ends a call whose response is the beginning of an error.
func TestDecodeContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"error_msg":"`)
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	client := &http.Client{Transport: okerrors.Decode(to(t, server))}
	resp, err := client.Do(request(t, "http://api.ok.ru/fb.do").WithContext(ctx))
	if err == nil { // the response is what came, and ends like that of a bare client
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the call ended with %v", err)
	}
}

// TestDecodeKeepsConnections fails calls over few connections, where each would
// take its own: an error's body is read to its end. Reading has a bound in
// time, which a busy machine may reach now and then.
func TestDecodeKeepsConnections(t *testing.T) {
	remotes := make(map[string]bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		remotes[r.RemoteAddr] = true
		io.WriteString(w, failure)
		w.(http.Flusher).Flush()
		io.WriteString(w, strings.Repeat(" ", 10_000))
	}))
	defer server.Close()
	client := &http.Client{Transport: okerrors.Decode(to(t, server))}
	const calls = 20
	for range calls {
		if _, err := client.Get("http://api.ok.ru/fb.do?method=a.b"); !errors.Is(err, okerrors.ErrSession) {
			t.Fatal(err)
		}
	}
	if len(remotes) > calls/2 {
		t.Errorf("%d calls took %d connections", calls, len(remotes))
	}
}

// idle is a RoundTripper with a secret that notes CloseIdleConnections.
type idle struct {
	transport.Func
	Secret string
	closed int
}

func (i *idle) CloseIdleConnections() { i.closed++ }

func TestDecodeIsTransparent(t *testing.T) {
	next := &idle{Func: always(success), Secret: "CANARY"}
	rt := okerrors.Decode(next)
	(&http.Client{Transport: rt}).CloseIdleConnections()
	if next.closed != 1 {
		t.Errorf("CloseIdleConnections was forwarded %d times", next.closed)
	}
	if u, ok := rt.(interface{ Unwrap() http.RoundTripper }); !ok || u.Unwrap() != http.RoundTripper(next) {
		t.Error("Unwrap does not return the next RoundTripper")
	}
	for _, out := range printed(t, rt) {
		if leaks(out) || !strings.Contains(out, "okerrors.Decode(*okerrors_test.idle)") {
			t.Errorf("the layer prints %s", out)
		}
	}
	(&http.Client{Transport: okerrors.Decode(always(success))}).CloseIdleConnections()

	nothing := okerrors.Decode(nil).(interface{ Unwrap() http.RoundTripper })
	if nothing.Unwrap() != http.DefaultTransport {
		t.Error("Decode(nil) does not use http.DefaultTransport")
	}
}

func TestDecodeLeavesRequest(t *testing.T) {
	r, err := http.NewRequest("POST", "https://api.ok.ru/fb.do", strings.NewReader("method=friends.get"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	before := fmt.Sprintf("%v", r)
	_, err = okerrors.Decode(transport.Func(func(got *http.Request) (*http.Response, error) {
		if got != r {
			t.Error("the request was copied")
		}
		got.Body.Close()
		return respond(failure), nil
	})).RoundTrip(r)
	if e, ok := errors.AsType[*okerrors.Error](err); !ok || e.Method != "friends.get" {
		t.Errorf("RoundTrip: %v", err)
	}
	if after := fmt.Sprintf("%v", r); after != before {
		t.Errorf("the request became\n%s\nfrom\n%s", after, before)
	}
	if text, err := json.Marshal(err); err != nil || string(text) == "{}" {
		t.Errorf("json.Marshal = %s, %v", text, err)
	}
}
