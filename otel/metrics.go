package okotel

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/go-okru/okru/transport"
)

// metrics are the instruments of a Middleware.
type metrics struct {
	request   metric.Float64Histogram // per CLIENT span
	call      metric.Float64Histogram // per INTERNAL span
	limitWait metric.Float64Histogram // per wait for a limiter
	retries   metric.Int64Counter     // per request after the first one of a call
	renewals  metric.Int64Counter     // per rejected session
}

// seconds are the bounds that the semantic conventions advise for durations.
var seconds = metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10)

func newMetrics(m metric.Meter) (*metrics, error) {
	var errs [5]error
	var all metrics
	histogram := func(name, description string) (metric.Float64Histogram, error) {
		return m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description), seconds)
	}
	all.request, errs[0] = histogram("http.client.request.duration", "Duration of HTTP client requests.")
	all.call, errs[1] = histogram("okru.client.call.duration", "Duration of calls, with all attempts, waits and renewals.")
	all.limitWait, errs[2] = histogram("okru.client.limit.wait", "How long attempts waited for a limiter.")
	all.retries, errs[3] = m.Int64Counter("okru.client.retries", metric.WithUnit("{request}"), metric.WithDescription("Requests after the first one of their call."))
	all.renewals, errs[4] = m.Int64Counter("okru.client.session.renewals", metric.WithUnit("{renewal}"), metric.WithDescription("Sessions that the API rejected and a source was asked to renew, per call."))
	return &all, errors.Join(errs[:]...)
}

func (*metrics) record(ctx context.Context, h metric.Float64Histogram, d time.Duration, attrs []attribute.KeyValue) {
	h.Record(ctx, d.Seconds(), metric.WithAttributeSet(attribute.NewSet(attrs...)))
}

// methodOf returns the API method as an attribute; a request that is no call
// has none.
func methodOf(method string) metric.MeasurementOption {
	if method == "" {
		return metric.WithAttributes()
	}
	return metric.WithAttributes(attribute.String("okru.method", method))
}

// renewalOutcome returns how a renewal has ended as an attribute.
func renewalOutcome(i transport.RenewedInfo) metric.MeasurementOption {
	outcome := "unchanged" // the source has no newer session
	switch {
	case i.Repeated:
		outcome = "renewed"
	case i.Err != nil:
		outcome = "failed"
	}
	return metric.WithAttributes(attribute.String("okru.renewal.outcome", outcome))
}
