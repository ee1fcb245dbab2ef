package callback

// This file has one payment, as OK describes it in a request.

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Payment is a payment that OK asks a program to book. Its signature has been
// checked.
type Payment struct {
	// TransactionID is unique for each transaction. It may be empty for events
	// of a subscription: use [Payment.Key] to recognize a repeat.
	TransactionID string

	// UserID is the id of the user who paid.
	UserID string

	// ProductCode names the product, and ProductOption its variant, as the
	// program gave them when the payment was started. Check that the program
	// sells the product for Amount.
	ProductCode   string
	ProductOption string

	// Amount is the price as sent, in Currency, such as "100" and "ok".
	Amount   string
	Currency string

	// Time is the time of the transaction, zero if OK sent none that can be
	// read. See [Payments.Location].
	Time time.Time

	// Params are all parameters as sent, but for sig.
	Params url.Values
}

// Key returns a key of the transaction that is the same for every repeat of
// the request: TransactionID or, if that is empty, a hash of Params.
func (p Payment) Key() string {
	if p.TransactionID != "" {
		return p.TransactionID
	}
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(p.Params)) {
		for _, value := range p.Params[name] {
			fmt.Fprintf(hash, "%d:%s%d:%s", len(name), name, len(value), value)
		}
	}
	return "sha256:" + hex.EncodeToString(hash.Sum(nil))
}

// moscow is the time zone of OK. It has no daylight saving time.
var moscow = time.FixedZone("MSK", 3*60*60)

// newPayment returns the payment that params, whose signature is right,
// describe.
func newPayment(params url.Values, location *time.Location) Payment {
	if location == nil {
		location = moscow
	}
	at, err := time.ParseInLocation(time.DateTime, params.Get("transaction_time"), location)
	if err != nil {
		at = time.Time{}
	}
	rest := maps.Clone(params)
	delete(rest, sigName)
	return Payment{
		TransactionID: params.Get("transaction_id"),
		UserID:        params.Get("uid"),
		ProductCode:   params.Get("product_code"),
		ProductOption: params.Get("product_option"),
		Amount:        params.Get("amount"),
		Currency:      params.Get("currency"),
		Time:          at,
		Params:        rest,
	}
}

// maxForm bounds the parameters of a callback, in bytes. OK's have a few
// hundred.
const maxForm = 64 << 10

// errMalformed is the error of parameters that cannot be read. Its text has
// none of them.
var errMalformed = fmt.Errorf("%w: the parameters cannot be read", ErrForged)

// parametersOf returns the parameters of r: those of the query and, of a POST,
// those of the form. A parameter in both is duplicate.
func parametersOf(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if len(r.URL.RawQuery) > maxForm {
		return nil, errMalformed
	}
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, errMalformed
	}
	if r.Method != http.MethodPost || r.Body == nil {
		return params, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return nil, errMalformed
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if len(body) > 0 && !strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return nil, errMalformed
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errMalformed
	}
	for name, values := range form {
		params[name] = append(params[name], values...)
	}
	return params, nil
}
