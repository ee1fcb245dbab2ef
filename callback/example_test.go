package callback_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"

	"github.com/go-okru/okru/callback"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/transport"
)

// A game that sells one product. A real one stores what it has booked, in the
// same transaction in which it hands out the product.
func ExamplePayments() {
	bookedBefore := map[string]bool{}
	payments := callback.Payments{
		ApplicationKey:    "CBAPUBLICKEY",
		ApplicationSecret: "secret",
		Accept: func(_ context.Context, p callback.Payment) error {
			if p.ProductCode != "sword" || p.Amount != "100" || p.Currency != "ok" {
				return okerrors.CodeCallbackInvalidPayment
			}
			if !bookedBefore[p.Key()] {
				bookedBefore[p.Key()] = true
				fmt.Println("a sword for", p.UserID)
			}
			return nil
		},
	}

	// OK sends the request twice, since the first response was lost.
	params := url.Values{"transaction_id": {"T1"}, "uid": {"578"}, "product_code": {"sword"}, "amount": {"100"}, "currency": {"ok"}}
	for range 2 {
		w := httptest.NewRecorder()
		payments.ServeHTTP(w, httptest.NewRequest("GET", "/payments?"+sign(params, "secret").Encode(), nil))
		fmt.Println(w.Body)
	}
	// Output:
	// a sword for 578
	// <?xml version="1.0" encoding="UTF-8"?><callbacks_payment_response xmlns="http://api.forticom.com/1.0/">true</callbacks_payment_response>
	// <?xml version="1.0" encoding="UTF-8"?><callbacks_payment_response xmlns="http://api.forticom.com/1.0/">true</callbacks_payment_response>
}

// The usual check uses the signature of API calls and reads the parameters with
// Get. It accepts a request to which a second amount was added, or resig and
// access_token, which the signature of a call does not cover.
func ExamplePayments_incorrect() {
	check := func(r *http.Request) bool {
		params := r.URL.Query()
		return params.Get("sig") == transport.Signature(params, "secret")
	}

	params := sign(url.Values{"uid": {"578"}, "product_code": {"sword"}, "amount": {"100"}}, "secret")
	for _, added := range []string{"", "&amount=1", "&resig=1", "&access_token=1"} {
		r := httptest.NewRequest("GET", "/payments?"+params.Encode()+added, nil)
		fmt.Printf("%-16q usual check: %t, Verify: %v\n", added, check(r), callback.Verify(r.URL.Query(), "secret"))
	}
	// Output:
	// ""               usual check: true, Verify: <nil>
	// "&amount=1"      usual check: true, Verify: okru: callback: forged parameters: duplicate parameter "amount"
	// "&resig=1"       usual check: true, Verify: okru: callback: forged parameters: sig is wrong
	// "&access_token=1" usual check: true, Verify: okru: callback: forged parameters: sig is wrong
}

func ExampleVerify() {
	params := sign(url.Values{"uid": {"578"}, "event": {"subscription"}}, "secret")
	fmt.Println(callback.Verify(params, "secret"))
	params.Set("uid", "579")
	fmt.Println(callback.Verify(params, "secret"))
	// Output:
	// <nil>
	// okru: callback: forged parameters: sig is wrong
}

// The page of an application gets its user and session in the parameters with
// which OK opens it.
func ExampleVerifyLaunch() {
	page := func(w http.ResponseWriter, r *http.Request) {
		params := r.URL.Query()
		if err := callback.VerifyLaunch(params, appSecret); err != nil {
			http.Error(w, "open this page in OK", http.StatusForbidden)
			return
		}
		// The session is oauth.Static(params.Get("session_key"), params.Get("session_secret_key")).
		fmt.Fprintln(w, "hello", params.Get("logged_user_id"))
	}
	for _, user := range []string{"578000000001", "578000000002"} {
		params := launch("578000000001", "-s-session")
		params.Set("logged_user_id", user)
		w := httptest.NewRecorder()
		page(w, httptest.NewRequest("GET", "/?"+params.Encode(), nil))
		fmt.Print(w.Body)
	}
	// Output:
	// hello 578000000001
	// open this page in OK
}

// A bot that prints the messages it gets. Allow is what a test needs; a bot of
// a group leaves it empty.
func ExampleWebhook() {
	webhook := &callback.Webhook{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Handle: func(_ context.Context, event json.RawMessage) error {
			var e struct {
				Message struct{ Text string }
			}
			if err := json.Unmarshal(event, &e); err != nil {
				return err
			}
			fmt.Println(e.Message.Text)
			return nil
		},
	}
	server := httptest.NewServer(webhook)
	defer server.Close()
	resp, err := http.Post(server.URL, "application/json", jsonBody(map[string]any{"webhookType": "MESSAGE_CREATED", "message": map[string]string{"text": "hi"}}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output:
	// hi
	// 200 OK
}
