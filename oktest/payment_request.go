package oktest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/redact"
)

// What OK documents of callbacks.payment. The timeout is assumed.
const (
	paymentAttempts = 3
	paymentDelay    = 5 * time.Second
	paymentTimeout  = 5 * time.Second
)

// A PaymentRequest is what [Server.Pay] sends. It prints without the signature.
type PaymentRequest struct {
	// URL is the callback URL of the program under test; required. It may have
	// a query of its own.
	URL string

	// Params are the signed parameters, such as those of [User.Payment].
	Params url.Values

	// Lost is how many responses, from the first on, are lost on the way: the
	// program responds, and OK does not know. With 3 OK cancels a transaction
	// that the program may have booked.
	Lost int

	// Delay is the time between the end of a request and the next one. If 0,
	// 5 seconds as on OK; if negative, none.
	Delay time.Duration

	// Timeout is how long OK waits for a response. If 0, 5 seconds, which is
	// assumed.
	Timeout time.Duration

	// Client sends the requests. If nil, each request has a connection of its
	// own. Redirects are not followed.
	Client *http.Client
}

// Pay asks a program to book a payment, as OK does: by a GET with the
// parameters in the query. It sends the request up to three times, Delay apart,
// and then cancels the transaction. It returns the entry of the journal, see
// [Server.Payments]. The error reports that the request cannot be sent at all,
// or that ctx ended.
//
// What OK does not document is assumed: that it sends the request again if
// there is no response, if the response is none that is documented, or if it has code
// 2, SERVICE; that it cancels at once after any other code; and that a response
// needs status 200 and Content-Type application/xml.
func (s *Server) Pay(ctx context.Context, p PaymentRequest) (Transaction, error) {
	r, err := p.request(ctx)
	if err != nil {
		return Transaction{}, err
	}
	t := &Transaction{Params: cloneValues(p.Params)}
	s.locked(func() { s.payments = append(s.payments, t) })
	for n := 0; !t.Accepted && !t.Canceled && sleep(ctx, p.delayBefore(n)); n++ {
		a := p.attempt(r)
		a.Lost = n < p.Lost
		s.locked(func() { t.add(a) })
	}
	var result Transaction
	s.locked(func() { result = t.copy() })
	return result, ctx.Err()
}

// add records an attempt and what OK concludes from it.
func (t *Transaction) add(a PaymentAttempt) {
	t.Attempts = append(t.Attempts, a)
	isFinal := !a.Lost && a.Code != 0 && a.Code != okerrors.CodeService
	t.Accepted = a.Accepted && !a.Lost
	t.Canceled = !t.Accepted && (isFinal || len(t.Attempts) == paymentAttempts)
}

// locked runs change with the lock of s.
func (s *Server) locked(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// request returns the request that is sent each time.
func (p PaymentRequest) request(ctx context.Context) (*http.Request, error) {
	u, err := url.Parse(p.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("oktest: PaymentRequest.URL is no URL of a program; set it to one such as http://127.0.0.1:8910/payments")
	}
	u.RawQuery = strings.Trim(u.RawQuery+"&"+p.Params.Encode(), "&")
	return http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
}

// delayBefore returns how long to wait before the attempt number n, from 0.
func (p PaymentRequest) delayBefore(n int) time.Duration {
	if n == 0 {
		return 0
	}
	return cmp.Or(p.Delay, paymentDelay)
}

// attempt sends r once.
func (p PaymentRequest) attempt(r *http.Request) PaymentAttempt {
	a := PaymentAttempt{Time: time.Now()}
	ctx, cancel := context.WithTimeout(r.Context(), cmp.Or(p.Timeout, paymentTimeout))
	defer cancel()
	resp, err := p.client().Do(r.WithContext(ctx))
	if err != nil {
		a.Problem = problemOf(err)
		return a
	}
	defer resp.Body.Close()
	a.Status = resp.StatusCode
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	a.Body = string(body)
	if err != nil {
		a.Problem = problemOf(err)
		return a
	}
	a.Code, err = readPaymentResponse(resp, body)
	a.Accepted = err == nil && a.Code == 0
	if err != nil {
		a.Problem = err.Error()
	}
	return a
}

// client returns a client that follows no redirect. Its own transport reuses no
// connection: net/http repeats a GET on a broken one, unseen by the journal.
func (p PaymentRequest) client() *http.Client {
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if p.Client != nil {
		c = *p.Client
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// problemOf returns the text of an error of net/http without the URL, whose
// query has the signature.
func problemOf(err error) string {
	if withURL, ok := errors.AsType[*url.Error](err); ok {
		err = withURL.Err
	}
	return err.Error()
}

// view shows the fields without secrets. The URL may have one in its path.
func (p PaymentRequest) view() redact.View {
	return redact.Show("oktest.PaymentRequest",
		redact.Secret("URL", p.URL),
		slog.String("Params", redactedParams(p.Params)),
		slog.Int("Lost", p.Lost),
		slog.Duration("Delay", p.Delay),
		slog.Duration("Timeout", p.Timeout),
	)
}

// String returns the fields, secrets redacted.
func (p PaymentRequest) String() string { return p.view().String() }

// Format implements [fmt.Formatter]: every verb writes what String returns.
func (p PaymentRequest) Format(f fmt.State, verb rune) { p.view().Format(f, verb) }

// LogValue implements [slog.LogValuer], secrets redacted.
func (p PaymentRequest) LogValue() slog.Value { return p.view().LogValue() }

// MarshalJSON returns the fields, secrets redacted.
func (p PaymentRequest) MarshalJSON() ([]byte, error) { return p.view().MarshalJSON() }
