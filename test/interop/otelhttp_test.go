package interop_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oktest"
)

// The instrumentation of OpenTelemetry above the stack: one span per call, with
// the URL that the program asked for.
func Example_otelhttp() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	defer func() { _ = provider.Shutdown(context.Background()) }()

	client := &http.Client{Transport: otelhttp.NewTransport(newTransport(config(srv)), otelhttp.WithTracerProvider(provider))}
	fmt.Println(drain(client.Get(friendsURL + "?sort_type=PRESENT")))
	for _, span := range spans.GetSpans() {
		for _, attribute := range span.Attributes {
			if attribute.Key == "url.full" {
				fmt.Println(span.Name, attribute.Value.AsString())
			}
		}
	}
	// Output:
	// <nil>
	// HTTP GET https://api.ok.ru/api/friends/get?sort_type=PRESENT
}

// Below the stack there is a span per attempt, but each has the signed URL of
// a GET, the session in it: otelhttp takes only passwords out.
func TestSpansAboveAndBelow(t *testing.T) {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	for name, test := range map[string]struct {
		client func(provider *sdktrace.TracerProvider) *http.Client
		spans  int
		leaks  bool
	}{
		"above": {func(p *sdktrace.TracerProvider) *http.Client {
			return &http.Client{Transport: otelhttp.NewTransport(newTransport(config(srv)), otelhttp.WithTracerProvider(p))}
		}, 1, false},
		"below": {func(p *sdktrace.TracerProvider) *http.Client {
			return newClient(over(srv, otelhttp.NewTransport(srv.Transport(), otelhttp.WithTracerProvider(p))))
		}, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			exporter := tracetest.NewInMemoryExporter()
			provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
			srv.ForgetCalls()
			srv.Inject(oktest.Fault{Times: 1, Status: http.StatusServiceUnavailable})
			if err := drain(test.client(provider).Get(friendsURL)); err != nil {
				t.Fatal(err)
			}
			if n := len(exporter.GetSpans()); n != test.spans {
				t.Errorf("%d spans, want %d", n, test.spans)
			}
			var text strings.Builder
			for _, span := range exporter.GetSpans() {
				fmt.Fprint(&text, span.Name, span.Attributes, span.Events, span.Status)
			}
			params := srv.Calls()[1].Params
			if secret, leaks := canary.Search(text.String(), params.Get("sig"), params.Get("access_token")); leaks != test.leaks {
				t.Errorf("a secret in the spans: %v %q", leaks, secret)
			}
		})
	}
}

func otelAbove(srv *oktest.Server, base http.RoundTripper, scopes ...string) caller {
	provider := sdktrace.NewTracerProvider()
	return by(&http.Client{Transport: otelhttp.NewTransport(newTransport(over(srv, base, scopes...)), otelhttp.WithTracerProvider(provider))})
}
