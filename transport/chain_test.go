package transport_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/roundtrip"
	"github.com/go-okru/okru/transport"
)

// A base that counts the calls of CloseIdleConnections.
type closable struct {
	transport.Func
	closed int
}

func (c *closable) CloseIdleConnections() { c.closed++ }

// foreign is a Middleware whose RoundTripper has neither Unwrap nor
// CloseIdleConnections.
func foreign(next http.RoundTripper) http.RoundTripper { return transport.Func(next.RoundTrip) }

// A layer above finds the hosts of the Signer and the idle connections of the
// base, whatever is in between.
func TestChainSeesThroughForeignLayers(t *testing.T) {
	signer := transport.Signer{ApplicationKey: "KEY", Hosts: []string{"gateway.example"}}
	none := func(next http.RoundTripper) http.RoundTripper { return next }
	for name, layers := range map[string][]transport.Middleware{
		"none":            {},
		"one":             {foreign},
		"two":             {foreign, foreign},
		"nil and nothing": {nil, none, foreign, nil},
		"ours, foreign":   {okerrors.Decode, foreign},
		"foreign, ours":   {foreign, okerrors.Decode},
	} {
		base := &closable{Func: func(*http.Request) (*http.Response, error) { return nil, errors.ErrUnsupported }}
		rt := transport.Chain(transport.Chain(base, foreign, signer.Wrap, foreign), layers...)
		hosts := roundtrip.HostsBelow(rt)
		if hosts == nil || hosts.Endpoint() != "https://gateway.example" {
			t.Errorf("%s: hosts are %v", name, hosts)
		}
		(&http.Client{Transport: rt}).CloseIdleConnections()
		if base.closed != 1 {
			t.Errorf("%s: CloseIdleConnections reached the base %d times", name, base.closed)
		}
	}
}

// The Middleware decides what idle connections are, if it knows.
func TestChainKeepsCloseIdleConnections(t *testing.T) {
	base, layer := new(closable), new(closable)
	rt := transport.Chain(base, func(http.RoundTripper) http.RoundTripper { return layer })
	rt.(interface{ CloseIdleConnections() }).CloseIdleConnections()
	if base.closed != 0 || layer.closed != 1 {
		t.Errorf("closed the base %d times and the layer %d times", base.closed, layer.closed)
	}
}

// What a Middleware returns as it was given, or with an Unwrap, is not wrapped.
func TestChainWrapsOnlyWhatIsOpaque(t *testing.T) {
	base := new(closable)
	if rt := transport.Chain(base, func(next http.RoundTripper) http.RoundTripper { return next }); rt != http.RoundTripper(base) {
		t.Errorf("the base became a %T", rt)
	}
	ours := okerrors.Decode(base)
	if rt := transport.Chain(base, func(http.RoundTripper) http.RoundTripper { return ours }); rt != ours {
		t.Errorf("a layer with Unwrap became a %T", rt)
	}
	f := transport.Func(func(*http.Request) (*http.Response, error) { return nil, errors.ErrUnsupported })
	rt := transport.Chain(f, foreign) // functions cannot be compared
	if _, err := rt.RoundTrip(get("")); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("the error is %v", err)
	}
}

// A closeFunc is an empty body that calls a function when it is closed.
type closeFunc func()

func (closeFunc) Read([]byte) (int, error) { return 0, io.EOF }
func (f closeFunc) Close() error           { f(); return nil }

// A request of which a Middleware made nothing is an error, and its body is closed.
func TestChainRejectsWhatIsNoRoundTripper(t *testing.T) {
	base := transport.Func(func(*http.Request) (*http.Response, error) {
		t.Error("the request passed by the Middleware")
		return nil, errors.ErrUnsupported
	})
	for name, broken := range map[string]transport.Middleware{
		"nil":       func(http.RoundTripper) http.RoundTripper { return nil },
		"typed nil": func(http.RoundTripper) http.RoundTripper { return (*closable)(nil) },
	} {
		closed := 0
		r := get("")
		r.Body = closeFunc(func() { closed++ })
		_, err := transport.Chain(base, foreign, broken, foreign).RoundTrip(r)
		if err == nil || !strings.Contains(err.Error(), "a Middleware returned nil") || closed != 1 {
			t.Errorf("%s: error %v, body closed %d times", name, err, closed)
		}
	}
}

// The Signer returns what it found as a value.
func TestSignerReturnsItsVerdict(t *testing.T) {
	for _, test := range []struct {
		url, body string
		inspected bool
		code      okerrors.Code
	}{
		{"https://api.ok.ru/fb.do?method=users.getInfo", `[{"uid":"1"}]`, true, 0},
		{"https://api.ok.ru/fb.do?method=users.getInfo", apiError(8, "FLOOD_BLOCKED : x"), true, 8},
		{"https://api.ok.ru/api/users/getInfo", apiError(102, "PARAM_SESSION_EXPIRED : x"), true, 102},
		{"https://other.example/fb.do?method=users.getInfo", apiError(8, "x"), false, 0},
	} {
		rt := signer().Wrap(&api{responses: []string{test.body}}).(roundtrip.Verdicter)
		resp, verdict, err := rt.RoundTripVerdict(newGet(t, t.Context(), test.url))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		e, _ := verdict.Err.(*okerrors.Error)
		if verdict.Inspected != test.inspected || (e == nil) != (test.code == 0) || e != nil && (e.Code != test.code || e.Method != "users.getInfo") {
			t.Errorf("%s, %s: verdict is %+v", test.url, test.body, verdict)
		}
	}
}
