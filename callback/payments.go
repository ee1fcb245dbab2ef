package callback

// This file serves callbacks.payment: it verifies the request, calls the program,
// and responds in the XML that OK expects.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/redact"
)

// Payments is an [http.Handler] for callbacks.payment, with which OK asks a
// program to book a payment. Serve it at the callback URL in the settings of
// the application:
//
//	http.Handle("/payments", callback.Payments{
//		ApplicationKey:    "CBA…",
//		ApplicationSecret: secret,
//		Accept:            shop.book,
//	})
//
// It accepts GET, which OK uses, and POST with a form. It checks the signature
// and then calls Accept. The response has status 200, as OK expects, and is
// XML:
//
//   - Accept returned nil: the payment is booked.
//   - 104, PARAM_SIGNATURE: the request is not signed by OK for this
//     application, or has a duplicate parameter.
//   - 1001, CALLBACK_INVALID_PAYMENT: the request is for another application.
//   - 1, 2, 1001 or 9999: that [okerrors.Code] is in the error of Accept, in
//     the sense of [errors.As].
//   - 2, SERVICE: any other error of Accept, or a panic. OK sends the request
//     again.
//
// OK sends a request up to three times, 5 seconds apart, and then cancels the
// transaction. So Accept may run twice for one transaction, even at the same
// time, and a transaction that it has booked may have been canceled by OK if
// the response was lost.
//
// The zero Payments books nothing. Payments is safe for concurrent use if its
// fields are not changed. It prints without the secret. See
// https://apiok.ru/en/dev/methods/rest/callbacks/callbacks.payment.
type Payments struct {
	// ApplicationKey is the public key of the application. A request with
	// another application_key is answered with code 1001; one without is
	// accepted. If empty, application_key is not checked.
	ApplicationKey string

	// ApplicationSecret is the application secret key; required.
	ApplicationSecret string

	// Accept books a payment; required. It must check that the program sells
	// the product for this amount, and return [okerrors.CodeCallbackInvalidPayment]
	// if not. It returns nil only if the payment is stored, and also for a
	// transaction that it has booked before: see [Payment.Key]. It is called by
	// many goroutines at once. The context ends when OK closes the connection.
	Accept func(context.Context, Payment) error

	// Location is the time zone of transaction_time, which OK does not
	// document. If nil, it is that of Moscow.
	Location *time.Location

	// OnError, if not nil, is called with each error that OK does not get to
	// know: a missing setting, a request with a wrong signature, an error of
	// Accept without one of the codes above, and a panic of Accept with its
	// stack. It is called by many goroutines at once. No error has a secret of
	// this package; the errors of Accept are passed as they are.
	OnError func(error)
}

// ServeHTTP implements [http.Handler].
func (p Payments) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "callbacks.payment is a GET or a POST", http.StatusMethodNotAllowed)
		return
	}
	code, err := p.handle(w, r)
	if err != nil && p.OnError != nil {
		p.OnError(err)
	}
	respond(w, code)
}

// handle returns the code to respond with, 0 for success, and the error for
// OnError.
func (p Payments) handle(w http.ResponseWriter, r *http.Request) (okerrors.Code, error) {
	if err := p.check(); err != nil {
		return okerrors.CodeService, err
	}
	params, err := parametersOf(w, r)
	if err == nil {
		err = Verify(params, p.ApplicationSecret)
	}
	if err != nil {
		return okerrors.CodeParamSignature, err
	}
	if key := params.Get("application_key"); p.ApplicationKey != "" && key != "" && key != p.ApplicationKey {
		return okerrors.CodeCallbackInvalidPayment, nil
	}
	err = p.accept(r.Context(), newPayment(params, p.Location))
	if err == nil {
		return 0, nil
	}
	if code, ok := errors.AsType[okerrors.Code](err); ok && isCallbackCode(code) {
		return code, nil
	}
	return okerrors.CodeService, err
}

// check returns an error that names what is missing.
func (p Payments) check() error {
	if p.Accept == nil {
		return errors.New("okru: callback.Payments: Accept is nil; set it to the function that books a payment")
	}
	return checkSecret(p.ApplicationSecret)
}

// accept calls Accept. A panic becomes an error.
func (p Payments) accept(ctx context.Context, payment Payment) (err error) {
	defer func() {
		switch value := recover(); value {
		case nil:
		case http.ErrAbortHandler: // the program wants net/http to close the connection
			panic(value)
		default:
			err = redact.NewPanicError("okru: callback.Payments: Accept", value)
		}
	}()
	return p.Accept(ctx, payment)
}

// messages are the codes that a response to callbacks.payment may have.
var messages = map[okerrors.Code]string{
	okerrors.CodeUnknown:                "UNKNOWN : Unknown error",
	okerrors.CodeService:                "SERVICE : Service temporary unavailable",
	okerrors.CodeParamSignature:         "PARAM_SIGNATURE : Invalid signature",
	okerrors.CodeCallbackInvalidPayment: "CALLBACK_INVALID_PAYMENT : Payment is invalid and can not be processed",
	okerrors.CodeSystem:                 "SYSTEM : Critical system error",
}

// isCallbackCode reports whether Accept may choose c.
func isCallbackCode(c okerrors.Code) bool {
	return messages[c] != "" && c != okerrors.CodeParamSignature
}

// respond writes the response that OK expects. A code of 0 means success.
func respond(w http.ResponseWriter, code okerrors.Code) {
	w.Header().Set("Content-Type", "application/xml")
	if code == 0 {
		_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+
			`<callbacks_payment_response xmlns="http://api.forticom.com/1.0/">true</callbacks_payment_response>`)
		return
	}
	number := strconv.Itoa(int(code))
	w.Header().Set("Invocation-error", number)
	_, _ = io.WriteString(w, `<ns2:error_response xmlns:ns2="http://api.forticom.com/1.0/">`+
		`<error_code>`+number+`</error_code><error_msg>`+messages[code]+`</error_msg></ns2:error_response>`)
}

// view shows the fields without secrets.
func (p Payments) view() redact.View {
	return redact.Show("callback.Payments",
		slog.String("ApplicationKey", p.ApplicationKey),
		redact.Secret("ApplicationSecret", p.ApplicationSecret),
		slog.Bool("Accept", p.Accept != nil),
	)
}

// Format implements [fmt.Formatter]: it prints the settings without the secret.
func (p Payments) Format(f fmt.State, verb rune) { p.view().Format(f, verb) }

// LogValue implements [slog.LogValuer].
func (p Payments) LogValue() slog.Value { return p.view().LogValue() }

// MarshalJSON implements [encoding/json.Marshaler].
func (p Payments) MarshalJSON() ([]byte, error) { return p.view().MarshalJSON() }
