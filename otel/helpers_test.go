package okotel_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	okotel "github.com/go-okru/okru/otel"
	"github.com/go-okru/okru/transport"
)

// A recorder is OpenTelemetry in memory.
type recorder struct {
	spans   *tracetest.SpanRecorder
	reader  *metric.ManualReader
	options okotel.Options
}

func newRecorder() *recorder {
	r := &recorder{spans: tracetest.NewSpanRecorder(), reader: metric.NewManualReader()}
	r.options.TracerProvider = trace.NewTracerProvider(trace.WithSpanProcessor(r.spans))
	r.options.MeterProvider = metric.NewMeterProvider(metric.WithReader(r.reader))
	return r
}

// client returns a client with the stack of cfg below okotel.
func (r *recorder) client(t testing.TB, cfg okru.Config) *http.Client {
	t.Helper()
	observe, err := okotel.New(r.options)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ApplicationKey = cmp.Or(cfg.ApplicationKey, "KEY")
	cfg.ApplicationSecret = cmp.Or(cfg.ApplicationSecret, "application secret")
	cfg.Retry.MinDelay, cfg.Retry.MaxDelay = -1, 1
	client, err := okru.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	client.Transport = observe(client.Transport)
	return client
}

// tree returns the spans as text, each child below its parent.
func (r *recorder) tree() string {
	var text strings.Builder
	all := r.spans.Ended()
	slices.SortStableFunc(all, func(a, b trace.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
	for _, parent := range all {
		if parent.Parent().IsValid() {
			continue
		}
		writeSpan(&text, parent, "")
		for _, child := range all {
			if child.Parent().SpanID() == parent.SpanContext().SpanID() {
				writeSpan(&text, child, "  ")
			}
		}
	}
	return text.String()
}

func writeSpan(w io.Writer, s trace.ReadOnlySpan, indent string) {
	fmt.Fprintf(w, "%s%s  (%s, status %s)\n", indent, s.Name(), s.SpanKind(), s.Status().Code)
	for _, line := range lines(s.Attributes()) {
		fmt.Fprintf(w, "%s    %s\n", indent, line)
	}
}

func lines(attrs []attribute.KeyValue) []string {
	var list []string
	for _, a := range attrs {
		list = append(list, fmt.Sprintf("%s = %v", a.Key, a.Value.AsInterface()))
	}
	slices.Sort(list)
	return list
}

// metrics returns the metrics as text: for each set of attributes the sum of a
// counter, or the count of a histogram.
func (r *recorder) metrics(t testing.TB) string {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := r.reader.Collect(context.Background(), &data); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch points := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range points.DataPoints {
					list = append(list, fmt.Sprintf("%s %s  %d%s", m.Name, m.Unit, p.Value, indented(p.Attributes)))
				}
			case metricdata.Histogram[float64]:
				for _, p := range points.DataPoints {
					list = append(list, fmt.Sprintf("%s %s  %d recorded%s", m.Name, m.Unit, p.Count, indented(p.Attributes)))
				}
			}
		}
	}
	slices.Sort(list)
	return strings.Join(list, "\n") + "\n"
}

func indented(attrs attribute.Set) string {
	text := ""
	for _, line := range lines(attrs.ToSlice()) {
		text += "\n    " + line
	}
	return text
}

// A script is a RoundTripper that plays one outcome after the other, the last
// one again and again: an error, or the text of a response.
func script(status int, outcomes ...any) transport.Func {
	n := new(atomic.Int32)
	return func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		switch o := outcomes[min(int(n.Add(1)), len(outcomes))-1].(type) {
		case error:
			return nil, o
		case string:
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(o)), Request: r}, nil
		}
		panic("an outcome is neither an error nor a text")
	}
}

// numbered is a source whose token differs each time.
type numbered struct {
	n      atomic.Int32
	prefix string
	err    error // of the second token and later
}

func (s *numbered) Token() (*oauth2.Token, error) {
	n := s.n.Add(1)
	if n > 1 && s.err != nil {
		return nil, s.err
	}
	return oauth.Static(fmt.Sprint(s.prefix, n), "").Token()
}

func apiError(code int, text string) string {
	return fmt.Sprintf(`{"error_code":%d,"error_msg":%q}`, code, text)
}

var errBroken = errors.New("broken")

// newServer returns a RoundTripper that speaks a version of HTTP over TLS to a
// handler in the place of every host.
func newServer(t *testing.T, protocol string, h http.HandlerFunc) http.RoundTripper {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Proto != protocol {
			t.Errorf("protocol is %s, want %s", r.Proto, protocol)
		}
		h(w, r)
	}))
	server.EnableHTTP2 = protocol == "HTTP/2.0"
	server.StartTLS()
	t.Cleanup(server.Close)
	base := server.Client().Transport.(*http.Transport).Clone()
	base.TLSClientConfig.ServerName = "example.com" // of the certificate
	base.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	t.Cleanup(base.CloseIdleConnections)
	return base
}
