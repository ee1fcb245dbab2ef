package transport_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/rttest"
	"github.com/go-okru/okru/transport"
)

// The requests that the layers treat in ways of their own.
var contractRequests = []func(context.Context) *http.Request{
	func(ctx context.Context) *http.Request {
		return get("method=users.getInfo&uids=1,2").WithContext(ctx)
	},
	func(ctx context.Context) *http.Request {
		return get("method=users.setStatus&status=%D0%9F").WithContext(ctx)
	},
	func(ctx context.Context) *http.Request {
		return post("", "method=users.setStatus&status=%D0%9F").WithContext(ctx)
	},
	func(ctx context.Context) *http.Request {
		return post("method=users.getInfo&sig=x", "uids=1&sig=y").WithContext(ctx)
	},
	func(ctx context.Context) *http.Request {
		r, _ := http.NewRequestWithContext(ctx, "POST", "https://api.ok.ru/fb.do?method=photos.get", strings.NewReader("--part--"))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=part")
		return r
	},
	func(ctx context.Context) *http.Request {
		r, _ := http.NewRequestWithContext(ctx, "PUT", "https://elsewhere.example/upload", strings.NewReader("photo"))
		return r
	},
}

var contractResponses = []rttest.Response{
	{Body: `{"error_code":102,"error_msg":"PARAM_SESSION_EXPIRED : Session expired"}`},
	{Body: `{"error_code":107,"session_key":"new","session_secret_key":"keys"}`},
	{Body: `{"error_code":2,"error_msg":"SERVICE : Service is temporary unavailable"}`},
	{Body: `{"error_code":8,"error_msg":"FLOOD_BLOCKED : x"}`},
	{Header: http.Header{"Invocation-Error": {"104"}}, Body: `<html>`},
	{Status: 503, Header: http.Header{"Retry-After": {"1"}}, Body: "later"},
	{Body: `true`},
}

// sessionless sends calls as if there was no session to have, for ever.
type broken struct{}

func (broken) Token() (*oauth2.Token, error) { return nil, context.DeadlineExceeded }

// hanging never has a session.
type hanging struct{}

func (hanging) Token() (*oauth2.Token, error) { return nil, nil }

func (hanging) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func withSource(ts oauth2.TokenSource) func(http.RoundTripper) http.RoundTripper {
	return transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: ts}.Wrap
}

func TestSignerContract(t *testing.T) {
	calls := contractRequests[:len(contractRequests)-1] // the last one is no call: it is neither rejected nor does it wait
	for name, source := range map[string]func() oauth2.TokenSource{
		"static":    func() oauth2.TokenSource { return oauth.Static("token-1", "session-secret") },
		"renewable": func() oauth2.TokenSource { return new(renewable) },
	} {
		t.Run(name, func(t *testing.T) {
			rttest.Run(t, rttest.Kit{
				Wrap:      func(next http.RoundTripper) http.RoundTripper { return withSource(source())(next) },
				Requests:  calls,
				Responses: contractResponses,
				Reject:    withSource(broken{}),
				Stall:     withSource(hanging{}),
			})
		})
	}
}

func TestSignerContractForOthers(t *testing.T) {
	rttest.Run(t, rttest.Kit{
		Wrap:      withSource(hanging{}),
		Requests:  contractRequests[len(contractRequests)-1:],
		Responses: contractResponses,
		Verbatim:  true,
	})
}

func TestStackContract(t *testing.T) {
	rttest.Run(t, rttest.Kit{
		Wrap: func(next http.RoundTripper) http.RoundTripper {
			return transport.Chain(next, okerrors.Decode, transport.Retry{}.Wrap, withSource(new(renewable)))
		},
		Requests:  contractRequests,
		Responses: contractResponses,
	})
}

// A hook of the caller's that panics leaves no body open.
func TestContractWhenHooksPanic(t *testing.T) {
	for name, wrap := range map[string]func(http.RoundTripper) http.RoundTripper{
		"source":  withSource(panickingSource{}),
		"If":      transport.Retry{If: func(transport.Attempt) bool { panic("hook") }}.Wrap,
		"OnRetry": transport.Retry{OnRetry: func(transport.Attempt) { panic("hook") }}.Wrap,
		"Backoff": transport.Retry{Backoff: func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { panic("hook") }}.Wrap,
	} {
		t.Run(name, func(t *testing.T) {
			rttest.Run(t, rttest.Kit{Wrap: transport.Retry{}.Wrap, Panic: wrap, Requests: contractRequests, Responses: contractResponses})
		})
	}
}

type panickingSource struct{}

func (panickingSource) Token() (*oauth2.Token, error) { panic("hook") }
