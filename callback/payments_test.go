package callback_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-okru/okru/callback"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/test/canary"
)

const booked = `<?xml version="1.0" encoding="UTF-8"?><callbacks_payment_response xmlns="http://api.forticom.com/1.0/">true</callbacks_payment_response>`

func rejection(code, message string) string {
	return `<ns2:error_response xmlns:ns2="http://api.forticom.com/1.0/"><error_code>` + code + `</error_code><error_msg>` + message + `</error_msg></ns2:error_response>`
}

func TestPaymentsResponses(t *testing.T) {
	for name, test := range map[string]struct {
		accept error
		params url.Values
		code   string // of the header; empty: booked
		body   string
		errs   int // for OnError
	}{
		"booked":                     {nil, payment(), "", booked, 0},
		"without application_key":    {nil, payment("application_key", ""), "", booked, 0},
		"another application":        {nil, payment("application_key", "OTHER"), "1001", rejection("1001", "CALLBACK_INVALID_PAYMENT : Payment is invalid and can not be processed"), 0},
		"not sold":                   {okerrors.CodeCallbackInvalidPayment, payment(), "1001", rejection("1001", "CALLBACK_INVALID_PAYMENT : Payment is invalid and can not be processed"), 0},
		"unknown":                    {okerrors.CodeUnknown, payment(), "1", rejection("1", "UNKNOWN : Unknown error"), 0},
		"service":                    {okerrors.CodeService, payment(), "2", rejection("2", "SERVICE : Service temporary unavailable"), 0},
		"system, wrapped":            {fmt.Errorf("booking: %w", okerrors.CodeSystem), payment(), "9999", rejection("9999", "SYSTEM : Critical system error"), 0},
		"an API error":               {&okerrors.Error{Code: okerrors.CodeSystem}, payment(), "9999", rejection("9999", "SYSTEM : Critical system error"), 0},
		"a code that is no response": {okerrors.CodeParamSignature, payment(), "2", rejection("2", "SERVICE : Service temporary unavailable"), 1},
		"any other error":            {errors.New("disk full"), payment(), "2", rejection("2", "SERVICE : Service temporary unavailable"), 1},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			var errs []error
			h := callback.Payments{
				ApplicationKey: appKey, ApplicationSecret: appSecret,
				Accept:  func(context.Context, callback.Payment) error { return test.accept },
				OnError: func(err error) { errs = append(errs, err) },
			}
			target, form := "/payments?"+sign(test.params, appSecret).Encode(), ""
			if method == http.MethodPost {
				target, form = "/payments", sign(test.params, appSecret).Encode()
			}
			w := serve(h, method, target, form)
			if w.Code != http.StatusOK || w.Body.String() != test.body || w.Header().Get("Invocation-error") != test.code || w.Header().Get("Content-Type") != "application/xml" {
				t.Errorf("%s, %s: response is %d %v %s", name, method, w.Code, w.Header(), w.Body)
			}
			if len(errs) != test.errs {
				t.Errorf("%s, %s: OnError got %v", name, method, errs)
			}
		}
	}
}

func TestPaymentsRejectForgedRequests(t *testing.T) {
	good := sign(payment(), appSecret)
	form := good.Encode()
	isText := func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }
	for name, test := range map[string]struct {
		method, query, form string
		edit                func(*http.Request)
	}{
		"no parameters":        {"GET", "", "", nil},
		"no sig":               {"GET", payment().Encode(), "", nil},
		"amount changed":       {"GET", with(good, "amount", "1").Encode(), "", nil},
		"second amount":        {"GET", form + "&amount=1", "", nil},
		"first amount":         {"GET", "amount=1&" + form, "", nil},
		"resig added":          {"GET", form + "&resig=1", "", nil},
		"access_token added":   {"GET", form + "&access_token=1", "", nil},
		"amount in both":       {"POST", "amount=100", form, nil},
		"amount in query":      {"POST", "amount=1", with(good, "amount").Encode(), nil},
		"bad escape":           {"GET", form + "&x=%zz", "", nil},
		"semicolon":            {"GET", form + ";x=1", "", nil},
		"body of another type": {"POST", "", form, isText},
		"long query":           {"GET", form + "&x=" + strings.Repeat("x", 70<<10), "", nil},
		"long form":            {"POST", "", form + "&x=" + strings.Repeat("x", 70<<10), nil},
		"signed by another":    {"GET", sign(payment(), "other secret").Encode(), "", nil},
	} {
		called, errs := false, 0
		h := callback.Payments{
			ApplicationKey: appKey, ApplicationSecret: appSecret,
			Accept:  func(context.Context, callback.Payment) error { called = true; return nil },
			OnError: func(err error) { errs++; canary.Check(t, err, appSecret) },
		}
		if test.edit == nil {
			test.edit = func(*http.Request) {}
		}
		w := serve(h, test.method, "/payments?"+test.query, test.form, test.edit)
		if want := rejection("104", "PARAM_SIGNATURE : Invalid signature"); called || errs != 1 || w.Header().Get("Invocation-error") != "104" || w.Body.String() != want {
			t.Errorf("%s: Accept was called: %v; %d errors; response is %v %s", name, called, errs, w.Header(), w.Body)
		}
	}
}

// What is wrong with the settings never looks like a booked payment.
func TestPaymentsWithoutSettings(t *testing.T) {
	accept := func(context.Context, callback.Payment) error { return nil }
	for name, h := range map[string]callback.Payments{
		"zero":          {},
		"no Accept":     {ApplicationSecret: appSecret},
		"no secret":     {Accept: accept},
		"secret pasted": {Accept: accept, ApplicationSecret: appSecret + "\n"},
	} {
		var got error
		h.OnError = func(err error) { got = err }
		w := serve(h, "GET", "/?"+sign(payment(), h.ApplicationSecret).Encode(), "")
		if w.Header().Get("Invocation-error") != "2" || got == nil {
			t.Errorf("%s: response is %v %s, error %v", name, w.Header(), w.Body, got)
		}
	}
}

func TestPaymentsOtherMethods(t *testing.T) {
	h := callback.Payments{ApplicationSecret: appSecret, Accept: func(context.Context, callback.Payment) error { return nil }}
	for _, method := range []string{"HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		w := serve(h, method, "/?"+sign(payment(), appSecret).Encode(), "")
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, POST" {
			t.Errorf("%s: response is %d %v", method, w.Code, w.Header())
		}
	}
}

func TestPaymentsPanic(t *testing.T) {
	cause := errors.New("nil map")
	for name, value := range map[string]any{"error": cause, "text": "lost", "anything": struct{ Token string }{"canary-token-in-a-panic"}} {
		var got error
		h := callback.Payments{
			ApplicationSecret: appSecret, OnError: func(err error) { got = err },
			Accept: func(context.Context, callback.Payment) error { panic(value) },
		}
		w := serve(h, "GET", "/?"+sign(payment(), appSecret).Encode(), "")
		if w.Header().Get("Invocation-error") != "2" || got == nil || !strings.Contains(got.Error(), "payments_test.go") {
			t.Errorf("%s: response is %v %s, error %v", name, w.Header(), w.Body, got)
		}
		if value == any(cause) && !errors.Is(got, cause) {
			t.Errorf("%s: the error does not wrap the panic", name)
		}
		canary.Check(t, got, "canary-token-in-a-panic")
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("http.ErrAbortHandler does not reach net/http")
		}
	}()
	h := callback.Payments{ApplicationSecret: appSecret, Accept: func(context.Context, callback.Payment) error { panic(http.ErrAbortHandler) }}
	serve(h, "GET", "/?"+sign(payment(), appSecret).Encode(), "")
}

func TestPayment(t *testing.T) {
	var got callback.Payment
	h := callback.Payments{ApplicationSecret: appSecret, Accept: func(_ context.Context, p callback.Payment) error { got = p; return nil }}
	read := func(params url.Values) callback.Payment {
		t.Helper()
		got = callback.Payment{}
		if w := serve(h, "GET", "/?"+sign(params, appSecret).Encode(), ""); w.Body.String() != booked {
			t.Fatalf("response is %s", w.Body)
		}
		return got
	}
	p := read(payment())
	if p.TransactionID != "T-1" || p.UserID != "578000000001" || p.ProductCode != "sword" || p.ProductOption != "gold" || p.Amount != "100" || p.Currency != "ok" {
		t.Errorf("payment is %+v", p)
	}
	if want := time.Date(2026, 11, 29, 9, 30, 0, 0, time.UTC); !p.Time.Equal(want) {
		t.Errorf("time is %v, want %v", p.Time, want)
	}
	if p.Params.Has("sig") || p.Params.Get("payment_system") != "OK" || p.Key() != "T-1" {
		t.Errorf("parameters are %v, key %s", p.Params, p.Key())
	}
	h.Location = time.UTC
	if p := read(payment()); !p.Time.Equal(time.Date(2026, 11, 29, 12, 30, 0, 0, time.UTC)) {
		t.Errorf("time in UTC is %v", p.Time)
	}
	for _, text := range []string{"", "yesterday", "2026-13-29 12:30:00"} {
		if p := read(payment("transaction_time", text)); !p.Time.IsZero() {
			t.Errorf("time of %q is %v", text, p.Time)
		}
	}
	first, again, other := read(payment("transaction_id", "")), read(payment("transaction_id", "")), read(payment("transaction_id", "", "uid", "2"))
	if first.Key() != again.Key() || first.Key() == other.Key() || first.Key() == "" {
		t.Errorf("keys without a transaction id: %s, %s, %s", first.Key(), again.Key(), other.Key())
	}
}

func TestPrintsNoSecret(t *testing.T) {
	h := callback.Payments{ApplicationKey: appKey, ApplicationSecret: appSecret}
	webhook := &callback.Webhook{Confirmation: "canary-confirmation"}
	for _, v := range []any{h, &h, webhook} {
		canary.Check(t, v, appSecret, "canary-confirmation")
	}
	err := callback.Verify(sign(payment(), "other"), appSecret)
	canary.Check(t, err, appSecret, sign(payment(), appSecret).Get("sig"))
}
