// Package okotel reports the calls of package okru to OpenTelemetry, as spans
// and metrics that follow the stable semantic conventions for HTTP clients:
// https://opentelemetry.io/docs/specs/semconv/http/.
//
//	observe, err := okotel.New(okotel.Options{})
//	client, err := okru.NewClient(cfg)
//	client.Transport = observe(client.Transport)
//
// A call is one span of kind INTERNAL. Each time it is sent there is a span of
// kind CLIENT below it: for each attempt of transport.Retry, and for the repeat
// after a renewal of the session. README.md shows the spans and metrics of a
// call with both.
//
// Nothing that is reported has a secret, a message of the API, the value of a
// parameter other than method, format, fields, count and anchor, or the id of a
// user. A general instrumentation, such as otelhttp, reports the URL with all
// parameters if it is above the stack, and with session and signature if it is
// below: see the example.
//
// The package knows of a call what transport.Trace reports, and nothing else.
// No header is added to a request: OK has no use for a traceparent.
package okotel
