package oktest

import (
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/redact"
)

// moscow is the time zone of OK.
var moscow = time.FixedZone("MSK", 3*60*60)

// Payment returns the parameters of callbacks.payment with which OK asks the
// program to book a new transaction: the user pays amount for a product.
// [Server.Pay] sends them.
//
// To test with other values, change the parameters and call [Server.Sign]; an
// event of a subscription may have an empty transaction_id. To test with forged
// ones, see [Tamperings].
//
// The names are those of
// https://apiok.ru/en/dev/methods/rest/callbacks/callbacks.payment, without
// trial_days and card_promo. Assumed are: that application_key is sent, that
// transaction_id is a number, that transaction_time is that of Moscow, and the
// values of currency, payment_system and extra_attributes.
func (u *User) Payment(product string, amount int) url.Values {
	s := u.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	return s.Sign(url.Values{
		"application_key":  {s.app.Key},
		"uid":              {u.id},
		"transaction_id":   {strconv.FormatInt(77_000_000_000+s.lastID, 10)},
		"transaction_time": {time.Now().In(moscow).Format(time.DateTime)},
		"product_code":     {product},
		"product_option":   {""},
		"amount":           {strconv.Itoa(amount)},
		"currency":         {"ok"},
		"payment_system":   {"OK"},
		"extra_attributes": {"{}"},
	})
}

// A Transaction is an entry of the journal of payments: what [Server.Pay] sent,
// and what came of it. It prints without the signature.
type Transaction struct {
	// Params are the parameters as sent, changes by a test included.
	Params url.Values

	// Attempts are the requests that were sent, up to three.
	Attempts []PaymentAttempt

	// Accepted reports that OK knows that the program has booked the payment.
	// Canceled reports that OK has given up, and that the user gets the money
	// back. Neither is set while OK may send the request again, and if the
	// context of Pay ended before it did.
	Accepted, Canceled bool
}

// A PaymentAttempt is one request of a [Transaction] and the response of the
// program.
type PaymentAttempt struct {
	// Time is when the request was sent.
	Time time.Time

	// Status is the HTTP status of the response, or 0 if there was none.
	Status int

	// Body is the body of the response.
	Body string

	// Accepted reports whether the response states that the payment is booked.
	Accepted bool

	// Code is the code in the response with which the program rejects the
	// payment, or 0.
	Code okerrors.Code

	// Problem is why there is no response, or what is wrong with it, or empty.
	Problem string

	// Lost reports that the response was lost on its way to OK, as
	// [PaymentRequest.Lost] demanded: OK does not know what it says.
	Lost bool
}

// Payments returns every transaction that s has asked a program to book, in the
// order of their first requests, those in progress included. It is a copy.
func (s *Server) Payments() []Transaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Transaction, len(s.payments))
	for i, t := range s.payments {
		all[i] = t.copy()
	}
	return all
}

func (t *Transaction) copy() Transaction {
	c := *t
	c.Params, c.Attempts = cloneValues(t.Params), slices.Clone(t.Attempts)
	return c
}

// view shows the fields without secrets.
func (t Transaction) view() redact.View {
	return redact.Show("oktest.Transaction",
		slog.String("Params", redactedParams(t.Params)),
		slog.Int("Attempts", len(t.Attempts)),
		slog.Bool("Accepted", t.Accepted),
		slog.Bool("Canceled", t.Canceled),
	)
}

// String returns the fields, secrets redacted.
func (t Transaction) String() string { return t.view().String() }

// Format implements [fmt.Formatter]: every verb writes what String returns.
func (t Transaction) Format(f fmt.State, verb rune) { t.view().Format(f, verb) }

// LogValue implements [slog.LogValuer], secrets redacted.
func (t Transaction) LogValue() slog.Value { return t.view().LogValue() }

// MarshalJSON returns the fields, secrets redacted.
func (t Transaction) MarshalJSON() ([]byte, error) { return t.view().MarshalJSON() }
