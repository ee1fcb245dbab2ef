package okotel

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/go-okru/okru/transport"
)

// name is that of the instrumentation scope.
const name = "github.com/go-okru/okru/otel"

// Options say where spans and metrics go.
type Options struct {
	// TracerProvider makes the spans; nil means otel.GetTracerProvider.
	TracerProvider trace.TracerProvider

	// MeterProvider makes the metrics; nil means otel.GetMeterProvider.
	MeterProvider metric.MeterProvider
}

// New returns a Middleware that reports each request to OpenTelemetry. It
// belongs above all other layers: what is above it is not part of the call, and
// a layer that sends requests on its own is not seen. The error joins those of
// the MeterProvider.
//
// A span ends when its response header has arrived and an API error in the
// body was looked for; the time in which the caller reads the body does not
// count. Requests that are no API calls, such as uploads, are reported too,
// without method and template, and with scheme and host alone as their URL.
//
// The Middleware is safe for concurrent use, and its RoundTrippers are if those
// below them are. They change neither requests nor responses.
func New(o Options) (transport.Middleware, error) {
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	m, err := newMetrics(o.MeterProvider.Meter(name))
	if err != nil {
		return nil, fmt.Errorf("okotel: %w", err)
	}
	tracer := o.TracerProvider.Tracer(name)
	return func(next http.RoundTripper) http.RoundTripper {
		if next == nil {
			next = http.DefaultTransport
		}
		return &layer{next: next, tracer: tracer, metrics: m}
	}, nil
}

type layer struct {
	next    http.RoundTripper
	tracer  trace.Tracer
	metrics *metrics
}

// RoundTrip implements [http.RoundTripper].
func (l *layer) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, span := l.tracer.Start(r.Context(), "okru.call", trace.WithSpanKind(trace.SpanKindInternal))
	c := &call{layer: l, ctx: ctx, span: span, began: time.Now()}
	defer c.abort() // after a panic
	resp, err := l.next.RoundTrip(r.WithContext(c.traced()))
	if resp != nil {
		resp.Request = r
	}
	c.end(resp, err)
	return resp, err
}

// traced returns the context of the call, with the hooks of c.
func (c *call) traced() context.Context {
	return transport.WithTrace(c.ctx, &transport.Trace{Limited: c.limited, Attempt: c.attempt, Renewed: c.renewed, Done: c.done})
}

// Unwrap returns the RoundTripper below: okru.Call finds the hosts of the API by
// it.
func (l *layer) Unwrap() http.RoundTripper { return l.next }

// CloseIdleConnections forwards the call of http.Client.CloseIdleConnections.
func (l *layer) CloseIdleConnections() {
	if c, ok := l.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// Format implements [fmt.Formatter]. The RoundTripper below may have secrets,
// and is not printed.
func (l *layer) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, fmt.Sprintf("okotel(%T)", l.next))
}
