package transport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// A smallNetwork is the API and its token endpoint behind few connections. The
// first session is rejected by a response whose end is late.
type smallNetwork struct {
	t         *testing.T
	server    *httptest.Server
	transport *http.Transport
	rejection []string // the chunks of the rejecting response
	late      time.Duration
	renew     http.HandlerFunc
	renewals  atomic.Int32
}

// newSmallNetwork returns a network of n connections, or with http2 of n
// streams on one.
func newSmallNetwork(t *testing.T, n int, http2 bool) *smallNetwork {
	s := &smallNetwork{t: t, late: 20 * time.Millisecond, rejection: []string{apiError(102, "PARAM_SESSION_EXPIRED : Session expired"), "\n"}}
	s.renew = func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"access_token":"fresh","refresh_token":"refresh","expires_in":"1800"}`)
	}
	s.server = httptest.NewUnstartedServer(s)
	s.server.EnableHTTP2 = http2
	s.server.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: n}
	s.server.Config.ErrorLog = log.New(io.Discard, "", 0) // canceled dials
	s.server.StartTLS()
	roots := s.server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	s.transport = &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.server.Listener.Addr().String())
		},
		TLSClientConfig:   &tls.Config{RootCAs: roots, ServerName: "example.com"},
		ForceAttemptHTTP2: http2,
		MaxConnsPerHost:   n,
	}
	if http2 {
		s.transport.MaxConnsPerHost = 1
	}
	t.Cleanup(func() { s.transport.CloseIdleConnections(); s.server.Close() })
	return s
}

func (s *smallNetwork) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch _ = r.ParseForm(); {
	case r.URL.Path == "/oauth/token.do":
		s.renewals.Add(1)
		s.renew(w, r)
	case r.Form.Get("access_token") == "fresh":
		fmt.Fprint(w, `true`)
	default:
		for i, chunk := range s.rejection {
			if i > 0 {
				select {
				case <-time.After(s.late):
				case <-r.Context().Done():
					return
				}
			}
			fmt.Fprint(w, chunk)
			_ = http.NewResponseController(w).Flush()
		}
	}
}

// signer returns a Signer over the network that renews its session through it.
func (s *smallNetwork) signer() http.RoundTripper {
	grant := oauth.Refresh{ClientID: "1", ClientSecret: "secret", RefreshToken: "refresh", HTTPClient: &http.Client{Transport: s.transport}}
	source := oauth.NewSource(grant, oauth.Options{})
	source.Replace(nil, staleSession())
	return transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "secret", TokenSource: source}.Wrap(s.transport)
}

// forEachNetwork runs test on networks of one and of four connections.
func forEachNetwork(t *testing.T, test func(t *testing.T, s *smallNetwork, callers int)) {
	for _, n := range []int{1, 4} {
		for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
			t.Run(fmt.Sprint(name, ", ", n), func(t *testing.T) { test(t, newSmallNetwork(t, n, http2), 2*n) })
		}
	}
}

// callAll sends calls at once and returns what they ended in.
func (s *smallNetwork) callAll(callers int) (texts []string, errs []error) {
	rt := s.signer()
	texts, errs = make([]string, callers), make([]error, callers)
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			resp, err := rt.RoundTrip(post("", fmt.Sprintf("method=users.getInfo&uids=%d", i)).WithContext(ctx))
			if err != nil {
				errs[i] = err
				return
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			texts[i], errs[i] = string(b), err
		})
	}
	wg.Wait()
	return texts, errs
}

// A renewal finds a connection, although the rejecting responses had all of
// them and end late.
func TestRenewalThroughTheSameConnections(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, s *smallNetwork, callers int) {
		texts, errs := s.callAll(callers)
		for i := range texts {
			if texts[i] != "true" || errs[i] != nil {
				t.Errorf("call %d: %q, %v", i, texts[i], errs[i])
			}
		}
		if n := s.renewals.Load(); n != 1 {
			t.Errorf("%d renewals", n)
		}
	})
}

// If the renewal fails the caller reads the rejecting response to its end,
// although its connection was needed for the renewal.
func TestRejectionIsReadableAfterFailedRenewal(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, s *smallNetwork, callers int) {
		s.renew = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }
		s.rejection = []string{`{"error_code":102,"error_msg":"x",`, `"error_data":null}`, "  ", "\n"}
		texts, errs := s.callAll(callers)
		for i := range texts {
			if texts[i] != strings.Join(s.rejection, "") || errs[i] != nil {
				t.Errorf("call %d: %q, %v", i, texts[i], errs[i])
			}
		}
	})
}

// If the user must sign in, the error is also the rejection, and no connection
// is lost.
func TestSignInThroughTheSameConnections(t *testing.T) {
	forEachNetwork(t, func(t *testing.T, s *smallNetwork, callers int) {
		s.renew = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error":"invalid_grant"}`)
		}
		for range 2 {
			_, errs := s.callAll(callers)
			for i, err := range errs {
				if !errors.Is(err, oauth.ErrSignIn) || !errors.Is(err, okerrors.ErrSession) {
					t.Errorf("call %d: %v", i, err)
				}
			}
		}
	})
}

func staleSession() *oauth2.Token {
	return &oauth2.Token{AccessToken: "stale", RefreshToken: "refresh", Expiry: time.Now().Add(time.Hour)}
}
