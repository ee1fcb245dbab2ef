package callback_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-okru/okru/callback"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

// The fake signs with code of its own, and reads the responses of Payments as
// OK documents them.
func TestPaymentsOfFake(t *testing.T) {
	fake := oktest.NewServer(oktest.App{Key: appKey, Secret: appSecret})
	defer fake.Close()
	anna := fake.NewUser("anna", "password")
	var accepted []callback.Payment
	var result error
	game := httptest.NewServer(callback.Payments{
		ApplicationKey: appKey, ApplicationSecret: appSecret,
		Accept: func(_ context.Context, p callback.Payment) error { accepted = append(accepted, p); return result },
	})
	defer game.Close()
	for _, test := range []struct {
		result   error
		code     okerrors.Code
		body     string
		requests int
	}{
		{nil, 0, booked, 1},
		{okerrors.CodeCallbackInvalidPayment, 1001, rejection("1001", "CALLBACK_INVALID_PAYMENT : Payment is invalid and can not be processed"), 1},
		{okerrors.CodeUnknown, 1, rejection("1", "UNKNOWN : Unknown error"), 1},
		{okerrors.CodeSystem, 9999, rejection("9999", "SYSTEM : Critical system error"), 1},
		{fmt.Errorf("disk full"), 2, rejection("2", "SERVICE : Service temporary unavailable"), 3},
	} {
		accepted, result = nil, test.result
		tx, err := fake.Pay(t.Context(), oktest.PaymentRequest{URL: game.URL, Params: anna.Payment("sword", 100), Delay: -1})
		if err != nil || tx.Accepted != (test.code == 0) || len(tx.Attempts) != test.requests || len(accepted) != test.requests {
			t.Fatalf("%v: %v, %v", test.result, tx, err)
		}
		for _, a := range tx.Attempts {
			if a.Code != test.code || a.Body != test.body || a.Problem != "" || a.Status != 200 {
				t.Errorf("%v: attempt is %+v", test.result, a)
			}
		}
		if p := accepted[0]; p.UserID != anna.ID() || p.ProductCode != "sword" || p.Amount != "100" || p.Time.IsZero() || p.TransactionID == "" {
			t.Errorf("payment is %+v", p)
		}
	}
}

func TestPaymentsRejectTamperings(t *testing.T) {
	fake := oktest.NewServer(oktest.App{Key: appKey, Secret: appSecret})
	defer fake.Close()
	game := httptest.NewServer(callback.Payments{
		ApplicationKey: appKey, ApplicationSecret: appSecret,
		Accept: func(_ context.Context, p callback.Payment) error {
			t.Errorf("Accept is called with %v", p.Params)
			return nil
		},
	})
	defer game.Close()
	for name, params := range oktest.Tamperings(fake.NewUser("anna", "password").Payment("sword", 100)) {
		tx, err := fake.Pay(t.Context(), oktest.PaymentRequest{URL: game.URL, Params: params})
		if err != nil || !tx.Canceled || tx.Attempts[0].Code != okerrors.CodeParamSignature || tx.Attempts[0].Body != rejection("104", "PARAM_SIGNATURE : Invalid signature") {
			t.Errorf("%s: %+v, %v", name, tx.Attempts, err)
		}
	}
}

func TestVerifyLaunchOfFake(t *testing.T) {
	fake := oktest.NewServer(oktest.App{Key: appKey, Secret: appSecret})
	defer fake.Close()
	launched := fake.NewUser("anna", "password").Launch()
	game := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := callback.VerifyLaunch(r.URL.Query(), appSecret); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
		}
	}))
	defer game.Close()
	open := func(query string) int {
		resp, err := http.Get(game.URL + "/?" + query)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if status := open(launched.Encode()); status != http.StatusOK {
		t.Errorf("authentic parameters: status %d", status)
	}
	for name, params := range oktest.Tamperings(launched) {
		if status := open(params.Encode()); status != http.StatusForbidden {
			t.Errorf("%s: status %d", name, status)
		}
	}
}
