package interop_test

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/go-okru/okru/oktest"
)

// Prometheus above the stack counts what the program asked for, below it what
// was sent. Errors count nowhere: above, that includes API errors, unless
// Config.PassErrors leaves them in the responses.
func Example_promhttp() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	srv.Inject(oktest.Fault{Times: 1, Status: http.StatusServiceUnavailable})

	calls, attempts := newCounter("calls_total"), newCounter("attempts_total")
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "attempt_seconds"}, []string{"code"})
	below := promhttp.InstrumentRoundTripperDuration(seconds, promhttp.InstrumentRoundTripperCounter(attempts, srv.Transport()))
	client := &http.Client{Transport: promhttp.InstrumentRoundTripperCounter(calls, newTransport(over(srv, below)))}

	fmt.Println(drain(client.Get(friendsURL)))
	fmt.Println(drain(client.Get("https://api.ok.ru/api/users/getNothing")) != nil)
	for _, code := range []string{"200", "503"} {
		fmt.Println(code, "calls:", testutil.ToFloat64(calls.WithLabelValues(code)), "attempts:", testutil.ToFloat64(attempts.WithLabelValues(code)))
	}
	fmt.Println("series of the histogram:", testutil.CollectAndCount(seconds))
	// Output:
	// <nil>
	// true
	// 200 calls: 1 attempts: 2
	// 503 calls: 0 attempts: 1
	// series of the histogram: 2
}

func newCounter(name string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name}, []string{"code"})
}

func promAbove(srv *oktest.Server, base http.RoundTripper, scopes ...string) caller {
	return by(&http.Client{Transport: promhttp.InstrumentRoundTripperCounter(newCounter("calls"), newTransport(over(srv, base, scopes...)))})
}

func promBelow(srv *oktest.Server, base http.RoundTripper, scopes ...string) caller {
	return by(newClient(over(srv, promhttp.InstrumentRoundTripperCounter(newCounter("attempts"), base), scopes...)))
}
