package transport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/go-okru/okru/transport"
)

func TestCheckRetry(t *testing.T) {
	errVerdict := errors.New("verdict")
	certificate := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	for _, test := range []struct {
		name     string
		check    retryablehttp.CheckRetry
		outcomes []outcome
		attempts int
		status   int   // of the answer, or
		err      error // the error
	}{
		{"default policy repeats a 500", retryablehttp.DefaultRetryPolicy, []outcome{answer(500, ""), answer(200, "")}, 2, 200, nil},
		{"default policy repeats an error", retryablehttp.DefaultRetryPolicy, []outcome{failure(errBroken)}, 4, 0, errBroken},
		{"default policy knows certificates", retryablehttp.DefaultRetryPolicy, []outcome{failure(certificate)}, 1, 0, certificate},
		{"default policy, exhausted", retryablehttp.DefaultRetryPolicy, []outcome{answer(500, "")}, 4, 500, nil},
		{"propagated policy, success", retryablehttp.ErrorPropagatedRetryPolicy, []outcome{answer(200, "")}, 1, 200, nil},
		{"propagated policy, success after error", retryablehttp.ErrorPropagatedRetryPolicy, []outcome{answer(500, ""), answer(200, "")}, 2, 200, nil},
		{"propagated policy, certificate", retryablehttp.ErrorPropagatedRetryPolicy, []outcome{failure(certificate)}, 1, 0, certificate},
		{"an error replaces the answer", func(context.Context, *http.Response, error) (bool, error) { return false, errVerdict },
			[]outcome{answer(200, "")}, 1, 0, errVerdict},
		{"an error replaces the error", func(context.Context, *http.Response, error) (bool, error) { return false, errVerdict },
			[]outcome{failure(errBroken)}, 1, 0, errVerdict},
		{"an error counts when repeats end", func(context.Context, *http.Response, error) (bool, error) { return true, errVerdict },
			[]outcome{answer(200, "")}, 4, 0, errVerdict},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &script{outcomes: test.outcomes}
				resp, err := transport.Retry{CheckRetry: test.check}.Wrap(base).RoundTrip(newGet(t, t.Context(), writeURL))
				status := 0
				if resp != nil {
					status = resp.StatusCode
					resp.Body.Close()
				}
				if status != test.status || !sameError(err, test.err) {
					t.Errorf("outcome %d, %v; want %d, %v", status, err, test.status, test.err)
				}
				if base.attempts() != test.attempts || base.open != 0 {
					t.Errorf("%d attempts, %d answers open; want %d, 0", base.attempts(), base.open, test.attempts)
				}
			})
		})
	}
}

// sameError compares the errors themselves, not what they wrap.
func sameError(a, b error) bool { return a == b || a != nil && b != nil && a.Error() == b.Error() }

// retryablehttp gives policies the error of an http.Client.
func TestCheckRetrySeesClientError(t *testing.T) {
	base := &script{outcomes: []outcome{failure(errBroken)}}
	check := func(_ context.Context, resp *http.Response, err error) (bool, error) {
		u, ok := err.(*url.Error)
		if !ok || u.Op != "Get" || !errors.Is(u.Err, errBroken) || u.Err.Error() != errBroken.Error() || u.URL != "https://user:xxxxx@api.ok.ru/fb.do" || resp != nil {
			t.Errorf("CheckRetry got %v, %v", resp, err)
		}
		return false, nil
	}
	r := newGet(t, t.Context(), "https://user:password@api.ok.ru/fb.do")
	if _, err := (transport.Retry{CheckRetry: check}).Wrap(base).RoundTrip(r); !errors.Is(err, errBroken) || err.Error() != errBroken.Error() {
		t.Errorf("error is %v, want the cause, not wrapped by a *url.Error", err)
	}
}

// One verdict per attempt, successes included, as from a retryablehttp.Client.
func TestCheckRetryIsAskedOncePerAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []int
		check := func(_ context.Context, resp *http.Response, _ error) (bool, error) {
			asked = append(asked, resp.StatusCode)
			return resp.StatusCode == 500, nil
		}
		base := &script{outcomes: []outcome{answer(500, ""), answer(500, ""), answer(200, "")}}
		resp, err := transport.Retry{CheckRetry: check}.Wrap(base).RoundTrip(newGet(t, t.Context(), writeURL))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if len(asked) != 3 || asked[2] != 200 {
			t.Errorf("asked about %v, want 500, 500, 200", asked)
		}
	})
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var numbers []int
		backoff := func(shortest, longest time.Duration, n int, resp *http.Response) time.Duration {
			if shortest != time.Second || longest != 10*time.Second {
				t.Errorf("Backoff got bounds %v and %v", shortest, longest)
			}
			if resp == nil || resp.StatusCode != 503 {
				t.Errorf("Backoff got answer %v", resp)
			}
			numbers = append(numbers, n)
			return -time.Second + time.Duration(n)*4*time.Second
		}
		base := &script{outcomes: []outcome{answer(503, "", "Retry-After", "2"), answer(503, "", "Retry-After", "2"), answer(503, "")}}
		start := time.Now()
		resp, err := transport.Retry{MinDelay: time.Second, Backoff: backoff}.Wrap(base).RoundTrip(newGet(t, t.Context(), readURL))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if len(numbers) != 3 || numbers[0] != 0 || numbers[2] != 2 {
			t.Errorf("Backoff was asked about %v, want 0, 1, 2", numbers)
		}
		if took, want := time.Since(start), (2+3+7)*time.Second; took != want {
			t.Errorf("pauses of %v, want %v: Retry-After, then what Backoff said", took, want)
		}
	})
}
