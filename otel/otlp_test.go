package okotel_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlptrace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/internal/test/canary"
	okotel "github.com/go-okru/okru/otel"
)

// A receiver is a collector that takes OTLP over HTTP and keeps what it gets.
type receiver struct {
	mu    sync.Mutex
	raw   []string
	spans []*otlptrace.Span
	names []string // of metrics
}

func (c *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw = append(c.raw, string(body))
	switch r.URL.Path {
	case "/v1/traces":
		var request collectortrace.ExportTraceServiceRequest
		err = proto.Unmarshal(body, &request)
		for _, resource := range request.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
	case "/v1/metrics":
		var request collectormetrics.ExportMetricsServiceRequest
		err = proto.Unmarshal(body, &request)
		for _, resource := range request.ResourceMetrics {
			for _, scope := range resource.ScopeMetrics {
				for _, m := range scope.Metrics {
					c.names = append(c.names, m.Name)
				}
			}
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// What leaves the process by OTLP over HTTP is what was recorded, and has no
// secret.
func TestExportByOTLP(t *testing.T) {
	const token, secret = "canary-token-1a2b3c", "canary-application-secret-6f"
	collector := new(receiver)
	server := httptest.NewServer(collector)
	defer server.Close()
	spans, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(server.URL+"/v1/traces"))
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpointURL(server.URL+"/v1/metrics"))
	if err != nil {
		t.Fatal(err)
	}
	tracers := trace.NewTracerProvider(trace.WithBatcher(spans))
	meters := metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(metrics)))
	rec := &recorder{options: okotel.Options{TracerProvider: tracers, MeterProvider: meters}}
	client := rec.client(t, okru.Config{
		ApplicationSecret: secret, TokenSource: &numbered{prefix: token},
		Base: script(200, apiError(102, "PARAM_SESSION_EXPIRED : "+token+"1"), apiError(2, "SERVICE : x"), `[]`),
	})
	if _, err := okru.Call[any](t.Context(), client, "users.getInfo", nil); err != nil {
		t.Fatal(err)
	}
	if err := tracers.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := meters.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}

	collector.mu.Lock()
	defer collector.mu.Unlock()
	var got []string
	for _, s := range collector.spans {
		got = append(got, strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_")+" "+s.Name)
	}
	const sent = "CLIENT POST /fb.do?method=users.getInfo"
	if want := strings.Join([]string{sent, sent, sent, "INTERNAL users.getInfo"}, ", "); strings.Join(got, ", ") != want {
		t.Errorf("spans are %q, want %s", got, want)
	}
	names := strings.Join(collector.names, " ")
	for _, want := range []string{"http.client.request.duration", "okru.client.call.duration", "okru.client.retries", "okru.client.session.renewals"} {
		if !strings.Contains(names, want) {
			t.Errorf("no metric %s, but %s", want, names)
		}
	}
	for _, raw := range collector.raw {
		canary.Check(t, raw, token, secret)
	}
}
