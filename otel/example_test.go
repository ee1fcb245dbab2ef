package okotel_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	okotel "github.com/go-okru/okru/otel"
	"github.com/go-okru/okru/transport"
)

// The URL of one call, as a general instrumentation reports it above and below
// the stack, and as okotel does.
func ExampleNew_otelhttp() {
	spans := tracetest.NewSpanRecorder()
	provider := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
	observe, err := okotel.New(okotel.Options{TracerProvider: provider})
	if err != nil {
		log.Fatal(err)
	}
	var general transport.Middleware = func(next http.RoundTripper) http.RoundTripper {
		return otelhttp.NewTransport(next, otelhttp.WithTracerProvider(provider))
	}
	stack := func(next http.RoundTripper) http.RoundTripper {
		rt, err := okru.NewTransport(okru.Config{
			ApplicationKey: "KEY", ApplicationSecret: "application secret",
			TokenSource: oauth.Static("ACCESS-TOKEN", ""), Base: next,
		})
		if err != nil {
			log.Fatal(err)
		}
		return rt
	}
	for _, way := range []struct {
		name   string
		layers []transport.Middleware
	}{
		{"otelhttp above", []transport.Middleware{general, stack}},
		{"otelhttp below", []transport.Middleware{stack, general}},
		{"okotel", []transport.Middleware{observe, stack}},
	} {
		client := &http.Client{Transport: transport.Chain(script(200, `[]`), way.layers...)}
		resp, err := client.Get("https://api.ok.ru/fb.do?method=users.getInfo&uids=1234567890")
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		for _, span := range spans.Ended() {
			for _, a := range span.Attributes() {
				if a.Key == "url.full" {
					fmt.Printf("%s:\n  %s\n", way.name, a.Value.AsString())
				}
			}
		}
		spans.Reset()
	}

	// Output:
	// otelhttp above:
	//   https://api.ok.ru/fb.do?method=users.getInfo&uids=1234567890
	// otelhttp below:
	//   https://api.ok.ru/fb.do?application_key=KEY&format=json&method=users.getInfo&uids=1234567890&sig=e05fde1ede7d69689999b57b05155768&access_token=ACCESS-TOKEN
	// okotel:
	//   https://api.ok.ru/fb.do?method=users.getInfo&uids=REDACTED
}

// Metrics for Prometheus, by the exporter of OpenTelemetry.
func ExampleNew_prometheus() {
	registry := prometheus.NewRegistry()
	exporter, err := otelprom.New(otelprom.WithRegisterer(registry))
	if err != nil {
		log.Fatal(err)
	}
	observe, err := okotel.New(okotel.Options{MeterProvider: metric.NewMeterProvider(metric.WithReader(exporter))})
	if err != nil {
		log.Fatal(err)
	}
	client, err := okru.NewClient(okru.Config{
		ApplicationKey: "KEY", ApplicationSecret: "application secret",
		Base: script(200, apiError(2, "SERVICE : x"), `[]`), Retry: transport.Retry{MinDelay: -1},
	})
	if err != nil {
		log.Fatal(err)
	}
	client.Transport = observe(client.Transport)
	if _, err := okru.Call[any](context.Background(), client, "group.getInfo", nil); err != nil {
		log.Fatal(err)
	}

	page := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	text, _ := io.ReadAll(page.Body)
	var names []string
	for line := range strings.Lines(string(text)) {
		if name, _, ok := strings.Cut(line, "{"); ok && (strings.HasSuffix(name, "_count") || strings.HasSuffix(name, "_total")) {
			names = append(names, name+" "+line[strings.LastIndex(line, " ")+1:])
		}
	}
	slices.Sort(names)
	fmt.Print(strings.Join(names, ""))

	// Output:
	// http_client_request_duration_seconds_count 1
	// http_client_request_duration_seconds_count 1
	// okru_client_call_duration_seconds_count 1
	// okru_client_retries_total 1
}
