package subject

import (
	"context"
	"net/http"
	"time"

	"github.com/PuerkitoBio/rehttp"
	"github.com/dghubble/oauth1"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/hashicorp/go-retryablehttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	metric "go.opentelemetry.io/otel/metric/noop"
	trace "go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/oauth2"
)

// Names of subjects that are compared with others.
const (
	Usual       = "x/oauth2 + go-retryablehttp"
	UsualSigned = "x/oauth2 + go-retryablehttp + naive signing"
)

// peers are other layers around a RoundTripper, set up as their documentation
// shows it.
func peers() []Subject {
	return []Subject{
		{Name: "naive signing", Telling: true, Job: Authorizes | Signs, New: layers(newNaive)},
		{Name: "x/oauth2 `Transport`", Telling: true, Job: Authorizes, New: layers(func(t Target) http.RoundTripper {
			return &oauth2.Transport{Source: oauth2.StaticTokenSource(t.Token), Base: t.Base}
		})},
		{Name: "go-retryablehttp", Telling: true, Job: Retries, New: layers(func(t Target) http.RoundTripper {
			return newRetryable(t.Base).StandardClient().Transport
		})},
		{Name: Usual, Telling: true, Job: Authorizes | Retries, New: layers(newUsual)},
		{Name: UsualSigned, Telling: true, Job: Authorizes | Signs | Retries, New: layers(func(t Target) http.RoundTripper {
			t.Base = newNaive(t)
			return newUsual(t)
		})},
		{Name: "dghubble/oauth1", Job: Authorizes | SignsOAuth1, New: layers(newOAuth1)},
		{Name: "failsafehttp", Telling: true, Job: Retries, New: layers(func(t Target) http.RoundTripper {
			return failsafehttp.NewRoundTripper(t.Base, failsafehttp.NewRetryPolicyBuilder().Build())
		})},
		{Name: "PuerkitoBio/rehttp", Job: Retries, New: layers(newRehttp)},
		{Name: "otelhttp, no-op providers", Job: Observes, New: layers(func(t Target) http.RoundTripper {
			return otelhttp.NewTransport(t.Base,
				otelhttp.WithTracerProvider(trace.NewTracerProvider()), otelhttp.WithMeterProvider(metric.NewMeterProvider()))
		})},
	}
}

// newRetryable has the defaults but for the log, which would cost the most.
func newRetryable(base http.RoundTripper) *retryablehttp.Client {
	c := retryablehttp.NewClient()
	c.HTTPClient = &http.Client{Transport: base}
	c.Logger = nil
	return c
}

// newUsual is what programs put together today for a session and retries.
func newUsual(t Target) http.RoundTripper {
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, newRetryable(t.Base).StandardClient())
	return oauth2.NewClient(ctx, oauth2.StaticTokenSource(t.Token)).Transport
}

func newOAuth1(t Target) http.RoundTripper {
	ctx := context.WithValue(context.Background(), oauth1.HTTPClient, &http.Client{Transport: t.Base})
	return oauth1.NewConfig(t.Key, t.Secret).Client(ctx, oauth1.NewToken(t.Token.AccessToken, "token secret")).Transport
}

func newRehttp(t Target) http.RoundTripper {
	return rehttp.NewTransport(t.Base,
		rehttp.RetryAll(rehttp.RetryMaxRetries(3), rehttp.RetryAny(
			rehttp.RetryTemporaryErr(), rehttp.RetryStatuses(http.StatusTooManyRequests), rehttp.RetryStatusInterval(500, 600))),
		rehttp.ExpJitterDelay(100*time.Millisecond, 10*time.Second))
}
