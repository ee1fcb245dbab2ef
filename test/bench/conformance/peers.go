package main

import (
	"context"
	"net/http"
	"time"

	"github.com/PuerkitoBio/rehttp"
	"github.com/dghubble/oauth1"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/gofri/go-github-ratelimit/v2/github_ratelimit"
	"github.com/gofri/go-github-ratelimit/v2/github_ratelimit/github_secondary_ratelimit"
	"github.com/gregjones/httpcache"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"golang.org/x/oauth2"

	"github.com/go-okru/okru/rttest"
)

// peers are RoundTrippers of other modules. Those that do not document
// that they change what they send must not change it.
func peers() []subject {
	return []subject{
		{
			name: "retryablehttp.RoundTripper", module: "github.com/hashicorp/go-retryablehttp",
			setup: "NewClient, without its logger",
			kit:   rttest.Kit{Wrap: retryable, Verbatim: true},
			documented: map[rttest.Clause]string{
				rttest.RequestStreamed: "its README: bodies are rewound, if need be by a copy in memory",
			},
		},
		{
			name: "rehttp.Transport", module: "github.com/PuerkitoBio/rehttp",
			setup: "three retries after 502, 503 and temporary errors, ExpJitterDelay",
			kit:   rttest.Kit{Wrap: rehttpTransport, Verbatim: true},
			documented: map[rttest.Clause]string{
				rttest.RequestStreamed: "its package comment: bodies are buffered unless PreventRetryWithBody is set",
			},
		},
		{
			name: "failsafehttp.NewRoundTripper", module: "github.com/failsafe-go/failsafe-go",
			setup: "NewRetryPolicyBuilder with backoff",
			kit:   rttest.Kit{Wrap: failsafe, Verbatim: true},
		},
		{
			name: "oauth2.Transport", module: "golang.org/x/oauth2", once: true,
			setup: "a static token",
			kit: rttest.Kit{Verbatim: true, Wrap: func(next http.RoundTripper) http.RoundTripper {
				return &oauth2.Transport{Source: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"}), Base: next}
			}},
		},
		{
			name: "oauth1.Transport", module: "github.com/dghubble/oauth1", once: true,
			setup: "Config.Client",
			kit: rttest.Kit{Verbatim: true, Wrap: func(next http.RoundTripper) http.RoundTripper {
				ctx := context.WithValue(context.Background(), oauth1.HTTPClient, &http.Client{Transport: next})
				return oauth1.NewConfig("key", "secret").Client(ctx, oauth1.NewToken("token", "secret")).Transport
			}},
		},
		{
			name: "github_ratelimit.New", module: "github.com/gofri/go-github-ratelimit/v2",
			setup: "both limits, WithTotalSleepLimit of 10 s",
			kit: rttest.Kit{Verbatim: true, Responses: githubLimits, Wrap: func(next http.RoundTripper) http.RoundTripper {
				return github_ratelimit.New(next, github_secondary_ratelimit.WithTotalSleepLimit(10*time.Second, nil))
			}},
		},
		{
			name: "ghinstallation.Transport", module: "github.com/bradleyfalzon/ghinstallation/v2", once: true,
			setup: "NewFromAppsTransport; a fake hands out its tokens",
			kit:   rttest.Kit{Wrap: installation, Verbatim: true},
		},
		{
			name: "otelhttp.Transport", module: "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", once: true,
			setup: "NewTransport, no SDK",
			kit: rttest.Kit{Verbatim: true, Wrap: func(next http.RoundTripper) http.RoundTripper {
				return otelhttp.NewTransport(next)
			}},
		},
		{
			name: "promhttp.InstrumentRoundTripper…", module: "github.com/prometheus/client_golang", once: true,
			setup: "InFlight over Counter over Duration, as in its example",
			kit:   rttest.Kit{Wrap: instrumented, Verbatim: true},
		},
		{
			name: "httpcache.Transport", module: "github.com/gregjones/httpcache",
			setup: "NewMemoryCache; no response of the kit may be cached",
			kit: rttest.Kit{Verbatim: true, Wrap: func(next http.RoundTripper) http.RoundTripper {
				t := httpcache.NewTransport(httpcache.NewMemoryCache())
				t.Transport = next
				return t
			}},
		},
	}
}

func retryable(next http.RoundTripper) http.RoundTripper {
	c := retryablehttp.NewClient()
	c.HTTPClient.Transport = next
	c.Logger = nil
	return &retryablehttp.RoundTripper{Client: c}
}

func rehttpTransport(next http.RoundTripper) http.RoundTripper {
	return rehttp.NewTransport(next,
		rehttp.RetryAll(
			rehttp.RetryMaxRetries(3),
			rehttp.RetryAny(rehttp.RetryTemporaryErr(), rehttp.RetryStatuses(http.StatusBadGateway, http.StatusServiceUnavailable)),
		),
		rehttp.ExpJitterDelay(time.Second, 10*time.Second))
}

func failsafe(next http.RoundTripper) http.RoundTripper {
	policy := failsafehttp.NewRetryPolicyBuilder().WithBackoff(time.Second, 30*time.Second).Build()
	return failsafehttp.NewRoundTripper(next, policy)
}

func instrumented(next http.RoundTripper) http.RoundTripper {
	inFlight := prometheus.NewGauge(prometheus.GaugeOpts{Name: "in_flight"})
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total"}, []string{"code", "method"})
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "duration_seconds"}, nil)
	return promhttp.InstrumentRoundTripperInFlight(inFlight,
		promhttp.InstrumentRoundTripperCounter(counter,
			promhttp.InstrumentRoundTripperDuration(duration, next)))
}
