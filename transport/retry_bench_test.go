package transport_test

import (
	"net/http"
	"testing"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/go-okru/okru/transport"
)

// The cost of a call that succeeds at once, against the same without repeats,
// with a loop that any RoundTripper could have, and with the library itself.
func BenchmarkRetrySuccess(b *testing.B) {
	base := transport.Func(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
	})
	library := retryablehttp.NewClient()
	library.Logger = nil
	library.HTTPClient = &http.Client{Transport: base}
	r := newGet(b, b.Context(), readURL)
	for _, bench := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"bare", base},
		{"Retry", transport.Retry{}.Wrap(base)},
		{"loop", loop{base}},
		{"retryablehttp", &retryablehttp.RoundTripper{Client: library}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bench.rt.RoundTrip(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// loop repeats as rehttp does: a copy of the request for every attempt.
type loop struct{ next http.RoundTripper }

func (l loop) RoundTrip(r *http.Request) (*http.Response, error) {
	for n := 0; ; n++ {
		resp, err := l.next.RoundTrip(r.Clone(r.Context()))
		if n == 3 || err == nil && resp.StatusCode < 500 {
			return resp, err
		}
		if err == nil {
			resp.Body.Close()
		}
	}
}

func TestRetrySuccessCostsNoAllocation(t *testing.T) {
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}
	rt := transport.Retry{}.Wrap(transport.Func(func(*http.Request) (*http.Response, error) { return resp, nil }))
	r := newGet(t, t.Context(), readURL)
	if n := testing.AllocsPerRun(100, func() { _, _ = rt.RoundTrip(r) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
