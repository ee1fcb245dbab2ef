package oktest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oktest"
)

// The responses that OK documents.
const (
	bookedXML   = `<?xml version="1.0" encoding="UTF-8"?><callbacks_payment_response xmlns="http://api.forticom.com/1.0/">true</callbacks_payment_response>`
	rejectedXML = `<ns2:error_response xmlns:ns2="http://api.forticom.com/1.0/"><error_code>CODE</error_code><error_msg>text</error_msg></ns2:error_response>`
)

// A program is a RoundTripper whose responses are those of a program under
// test, one after the other; the last one is used again.
type program struct {
	responses []func(http.ResponseWriter)
	requests  []*http.Request
	at        []time.Time
}

func (p *program) RoundTrip(r *http.Request) (*http.Response, error) {
	n := min(len(p.requests), len(p.responses)-1)
	p.requests, p.at = append(p.requests, r), append(p.at, time.Now())
	if p.responses[n] == nil {
		return nil, errors.New("connection reset")
	}
	w := httptest.NewRecorder()
	p.responses[n](w)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func books(w http.ResponseWriter) { write(w, "", bookedXML) }

func rejects(code string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { write(w, code, strings.ReplaceAll(rejectedXML, "CODE", code)) }
}

func write(w http.ResponseWriter, code, body string) {
	w.Header().Set("Content-Type", "application/xml")
	if code != "" {
		w.Header().Set("Invocation-error", code)
	}
	_, _ = io.WriteString(w, body)
}

// writes returns a response that differs from the documented ones.
func writes(status int, kind, code, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", kind)
		if code != "" {
			w.Header().Set("Invocation-error", code)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// pay asks p to book a payment.
func pay(t *testing.T, srv *oktest.Server, p *program, lost int) oktest.Transaction {
	t.Helper()
	anna := srv.NewUser("anna", "CANARYPASSWORD")
	tx, err := srv.Pay(t.Context(), oktest.PaymentRequest{
		URL: "http://game.test/payments?from=ok", Params: anna.Payment("sword", 100), Lost: lost, Client: &http.Client{Transport: p},
	})
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// OK sends a request up to three times, 5 seconds apart, until the program
// accepts the payment or rejects it for good.
func TestPay(t *testing.T) {
	type responses = []func(http.ResponseWriter)
	notXML := strings.Replace(bookedXML, "</callbacks", "<callbacks", 1)
	otherSpace := strings.Replace(bookedXML, "forticom", "example", 1)
	for name, test := range map[string]struct {
		responses responses
		lost      int
		requests  int
		accepted  bool
	}{
		"accepted":                  {responses{books}, 0, 1, true},
		"accepted with charset":     {responses{writes(200, "application/xml; charset=utf-8", "", bookedXML+"\n")}, 0, 1, true},
		"accepted at the third":     {responses{nil, rejects("2"), books}, 0, 3, true},
		"one response lost":         {responses{books}, 1, 2, true},
		"all responses lost":        {responses{books}, 3, 3, false},
		"rejection lost":            {responses{rejects("1001")}, 1, 2, false},
		"no connection":             {responses{nil}, 0, 3, false},
		"service":                   {responses{rejects("2")}, 0, 3, false},
		"unknown":                   {responses{rejects("1")}, 0, 1, false},
		"signature":                 {responses{rejects("104")}, 0, 1, false},
		"invalid payment":           {responses{rejects("1001")}, 0, 1, false},
		"system":                    {responses{rejects("9999")}, 0, 1, false},
		"other code":                {responses{rejects("3")}, 0, 3, false},
		"status":                    {responses{writes(500, "application/xml", "", bookedXML)}, 0, 3, false},
		"redirect":                  {responses{writes(302, "application/xml", "", bookedXML)}, 0, 3, false},
		"content type":              {responses{writes(200, "text/xml", "", bookedXML)}, 0, 3, false},
		"JSON":                      {responses{writes(200, "application/json", "", "true")}, 0, 3, false},
		"false":                     {responses{writes(200, "application/xml", "", strings.Replace(bookedXML, "true", "false", 1))}, 0, 3, false},
		"accepted with a code":      {responses{writes(200, "application/xml", "2", bookedXML)}, 0, 3, false},
		"rejected without header":   {responses{writes(200, "application/xml", "", strings.ReplaceAll(rejectedXML, "CODE", "1001"))}, 0, 3, false},
		"another code in header":    {responses{writes(200, "application/xml", "1", strings.ReplaceAll(rejectedXML, "CODE", "1001"))}, 0, 3, false},
		"no XML":                    {responses{writes(200, "application/xml", "", notXML)}, 0, 3, false},
		"empty":                     {responses{writes(200, "application/xml", "", "")}, 0, 3, false},
		"another namespace":         {responses{writes(200, "application/xml", "", otherSpace)}, 0, 3, false},
		"a warning behind the XML":  {responses{writes(200, "application/xml", "", bookedXML+"Warning: no disk")}, 0, 3, false},
		"a warning before the XML":  {responses{writes(200, "application/xml", "", "Warning"+bookedXML)}, 0, 3, false},
		"another element":           {responses{writes(200, "application/xml", "", `<ok xmlns="http://api.forticom.com/1.0/">true</ok>`)}, 0, 3, false},
		"accepted after a 500 page": {responses{writes(500, "text/html", "", oktest.HTMLPage), books}, 0, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, p := newServer(t), &program{responses: test.responses}
				tx := pay(t, srv, p, test.lost)
				if tx.Accepted != test.accepted || tx.Canceled == test.accepted || len(tx.Attempts) != test.requests || len(p.requests) != test.requests {
					t.Errorf("accepted %t, canceled %t, %d attempts, %d requests; want %d: %+v", tx.Accepted, tx.Canceled, len(tx.Attempts), len(p.requests), test.requests, tx.Attempts)
				}
				for i := 1; i < len(p.at); i++ {
					if d := p.at[i].Sub(p.at[i-1]); d != 5*time.Second {
						t.Errorf("request %d comes %v after the one before, want 5 s", i+1, d)
					}
				}
				if journal := srv.Payments(); len(journal) != 1 || journal[0].Accepted != tx.Accepted || len(journal[0].Attempts) != test.requests {
					t.Errorf("the journal has %v", journal)
				}
				srv.ForgetCalls()
				if n := len(srv.Payments()); n != 0 {
					t.Errorf("ForgetCalls left %d payments", n)
				}
			})
		})
	}
}

// Every request of a transaction has the same parameters, in a GET.
func TestPayRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &program{responses: []func(http.ResponseWriter){rejects("2")}}
		pay(t, newServer(t), p, 0)
		for _, r := range p.requests {
			q := r.URL.Query()
			if r.Method != "GET" || r.Host != "game.test" || r.URL.Path != "/payments" || q.Get("from") != "ok" || r.URL.RawQuery != p.requests[0].URL.RawQuery {
				t.Errorf("request is %s %s", r.Method, r.URL)
			}
			q.Del("from")
			checkSig(t, q)
			for name, want := range map[string]string{"uid": "580000000001", "product_code": "sword", "amount": "100", "application_key": app.Key} {
				if q.Get(name) != want {
					t.Errorf("%s is %q, want %q", name, q.Get(name), want)
				}
			}
			if at, err := time.Parse(time.DateTime, q.Get("transaction_time")); err != nil || !at.Equal(time.Now().Add(3*time.Hour-10*time.Second)) {
				t.Errorf("transaction_time is %q (%v)", q.Get("transaction_time"), err)
			}
		}
	})
}

// checkSig checks the sig of what OK sends to a program, from scratch.
func checkSig(t *testing.T, params url.Values) {
	t.Helper()
	var pairs []string
	for name := range params {
		if name != "sig" {
			pairs = append(pairs, name)
		}
	}
	slices.Sort(pairs)
	text := ""
	for _, name := range pairs {
		text += name + "=" + params.Get(name)
	}
	if want := md5sum(text + app.Secret); params.Get("sig") != want {
		t.Errorf("sig is %q, want %q", params.Get("sig"), want)
	}
}

func TestPayDelayAndTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		hangs := transportFunc(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		start := time.Now()
		tx, err := srv.Pay(t.Context(), oktest.PaymentRequest{
			URL: "http://game.test/", Delay: time.Second, Timeout: 3 * time.Second, Client: &http.Client{Transport: hangs},
		})
		if err != nil || !tx.Canceled || len(tx.Attempts) != 3 || time.Since(start) != 11*time.Second {
			t.Errorf("after %v: %v, %v", time.Since(start), tx, err)
		}

		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		tx, err = srv.Pay(ctx, oktest.PaymentRequest{URL: "http://game.test/", Delay: time.Second, Timeout: 2 * time.Second, Client: &http.Client{Transport: hangs}})
		if !errors.Is(err, context.DeadlineExceeded) || tx.Accepted || tx.Canceled || len(tx.Attempts) != 2 {
			t.Errorf("context ended: %v, %v", tx, err)
		}
	})
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestPayBadURL(t *testing.T) {
	srv := newServer(t)
	for _, address := range []string{"", "/payments", "game.test/payments", "ftp://game.test/", "http://", "http://game.test/%zz"} {
		if _, err := srv.Pay(t.Context(), oktest.PaymentRequest{URL: address}); err == nil || !strings.Contains(err.Error(), "PaymentRequest.URL") {
			t.Errorf("URL %q: error is %v", address, err)
		}
	}
	if n := len(srv.Payments()); n != 0 {
		t.Errorf("the journal has %d payments", n)
	}
}

// A real program over a real connection: its default client needs no setting.
func TestPayOverNetwork(t *testing.T) {
	game := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { books(w) }))
	defer game.Close()
	srv := newServer(t)
	tx, err := srv.Pay(t.Context(), oktest.PaymentRequest{URL: game.URL, Params: srv.NewUser("anna", "password").Payment("sword", 100)})
	if err != nil || !tx.Accepted || tx.Attempts[0].Body != bookedXML || tx.Attempts[0].Status != 200 {
		t.Errorf("%+v, %v", tx.Attempts, err)
	}
	game.Close()
	tx, err = srv.Pay(t.Context(), oktest.PaymentRequest{URL: game.URL + "/CANARYPATH", Params: url.Values{"sig": {"CANARYSIG"}}, Delay: -1})
	if err != nil || !tx.Canceled || tx.Attempts[2].Problem == "" || strings.Contains(tx.Attempts[2].Problem, "CANARY") {
		t.Errorf("without a program: %+v, %v", tx.Attempts, err)
	}
}

// Each new payment is a transaction of its own.
func TestPaymentIDs(t *testing.T) {
	anna := newServer(t).NewUser("anna", "password")
	first, second := anna.Payment("sword", 100), anna.Payment("sword", 100)
	if first.Get("transaction_id") == "" || first.Get("transaction_id") == second.Get("transaction_id") {
		t.Errorf("transactions %q and %q", first.Get("transaction_id"), second.Get("transaction_id"))
	}
}

func TestPaymentsPrintNoSecret(t *testing.T) {
	p := oktest.PaymentRequest{URL: "http://game.test/CANARYPATH", Params: url.Values{"sig": {"CANARYSIG"}, "session_secret_key": {"CANARYSECRET"}}}
	for _, v := range []any{p, &p, oktest.Transaction{Params: p.Params}, &oktest.Transaction{Params: p.Params}} {
		canary.Check(t, v, "CANARYPATH", "CANARYSIG", "CANARYSECRET")
	}
}

// What a program rejects for another reason than a forged request has the code
// in the attempt.
func TestPaymentCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tx := pay(t, newServer(t), &program{responses: []func(http.ResponseWriter){rejects("1001")}}, 0)
		if a := tx.Attempts[0]; a.Code != okerrors.CodeCallbackInvalidPayment || a.Problem != "" || a.Status != 200 || a.Time.IsZero() {
			t.Errorf("attempt is %+v", a)
		}
	})
}
