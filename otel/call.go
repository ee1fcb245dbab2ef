package okotel

import (
	"context"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/go-okru/okru/transport"
)

// A call is a request on its way through the stack. Its hooks may be called at
// once, and after its end, if a layer of the program sends an attempt to
// several places.
type call struct {
	layer *layer
	ctx   context.Context // of span
	span  trace.Span
	began time.Time

	mu    sync.Mutex
	ended bool
	sends int // how often it was sent
	info  transport.AttemptInfo
	open  []*sent // what was sent and has not ended, the oldest first: at most one, usually
	last  transport.DoneInfo
}

// sent is a request that was sent once.
type sent struct {
	span  trace.Span
	began time.Time
	attrs []attribute.KeyValue // of the metric
}

func (c *call) limited(i transport.LimitedInfo) {
	c.layer.metrics.limitWait.Record(c.ctx, i.Wait.Seconds())
}

func (c *call) attempt(i transport.AttemptInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.info = i
	c.send()
}

func (c *call) renewed(i transport.RenewedInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.layer.metrics.renewals.Add(c.ctx, 1, renewalOutcome(i))
	c.finish(i.RejectedAt, i.Status, errorType(i.Code, i.Status, nil))
	if i.Repeated {
		c.send()
	}
}

func (c *call) done(i transport.DoneInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = i
	c.finish(time.Now(), i.Status, errorType(i.Code, i.Status, i.Err))
}

// send starts the span of a request that is about to be sent.
func (c *call) send() {
	if c.ended {
		return
	}
	attrs, spanAttrs := attributes(c.info)
	if c.sends > 0 {
		spanAttrs = append(spanAttrs, semconv.HTTPRequestResendCount(c.sends))
		c.layer.metrics.retries.Add(c.ctx, 1, methodOf(c.info.Method))
	}
	c.sends++
	_, span := c.layer.tracer.Start(c.ctx, spanName(c.info), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(spanAttrs...))
	c.open = append(c.open, &sent{span: span, began: time.Now(), attrs: attrs})
}

// finish ends the span of what was sent first and has not ended.
func (c *call) finish(at time.Time, status int, errorType string) {
	if len(c.open) == 0 {
		return
	}
	s := c.open[0]
	c.open = c.open[1:]
	if status != 0 {
		s.attrs = append(s.attrs, semconv.HTTPResponseStatusCode(status))
		s.span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	}
	if errorType != "" {
		s.attrs = append(s.attrs, semconv.ErrorTypeKey.String(errorType))
	}
	fail(s.span, errorType)
	s.span.End(trace.WithTimestamp(at))
	c.layer.metrics.record(c.ctx, c.layer.metrics.request, at.Sub(s.began), s.attrs)
}

// fail gives span an error of this type, without a description, which could
// have a message of the API; "" is none.
func fail(span trace.Span, errorType string) {
	if errorType != "" {
		span.SetAttributes(semconv.ErrorTypeKey.String(errorType))
		span.SetStatus(codes.Error, "")
	}
}

// end ends the call with its outcome.
func (c *call) end(resp *http.Response, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	status := 0
	if resp != nil {
		status = resp.StatusCode
	}
	if err == nil {
		err = c.last.Err // which Config.PassErrors has left in the response
	}
	c.close(errorType(codeOf(err), status, err))
}

// abort ends a call that has panicked.
func (c *call) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.close("panic")
}

func (c *call) close(errorType string) {
	if c.ended {
		return
	}
	c.ended = true
	for len(c.open) > 0 {
		c.finish(time.Now(), 0, errorType)
	}
	attrs := []attribute.KeyValue{}
	if c.info.Method != "" {
		c.span.SetName(c.info.Method)
		attrs = append(attrs, attribute.String("okru.method", c.info.Method))
	}
	c.span.SetAttributes(attrs...)
	if c.info.Circuit != transport.Auto {
		c.span.SetAttributes(attribute.String("okru.circuit", c.info.Circuit.String()))
	}
	fail(c.span, errorType)
	if errorType != "" {
		attrs = append(attrs, semconv.ErrorTypeKey.String(errorType))
	}
	c.span.End()
	c.layer.metrics.record(c.ctx, c.layer.metrics.call, time.Since(c.began), attrs)
}
