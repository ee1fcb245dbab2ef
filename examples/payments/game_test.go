package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

func newTestGame(t *testing.T) (*game, *oktest.Server) {
	t.Helper()
	fake := oktest.NewServer(app)
	t.Cleanup(fake.Close)
	book, err := openBook(t.Context(), filepath.Join(t.TempDir(), "payments.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { book.close() })
	g, err := newGame(okru.Config{ApplicationKey: app.Key, ApplicationSecret: app.Secret, Base: fake.Transport()}, book)
	if err != nil {
		t.Fatal(err)
	}
	return g, fake
}

// The page shows what the user of an authentic launch owns. It makes a call in
// the session of the launch, and none for a forged one.
func TestPage(t *testing.T) {
	g, fake := newTestGame(t)
	anna := fake.NewUser("anna", "password")
	if err := g.book.add(t.Context(), "1", anna.ID(), "sword"); err != nil {
		t.Fatal(err)
	}
	open := func(params url.Values) (int, string) {
		w := httptest.NewRecorder()
		g.handler().ServeHTTP(w, httptest.NewRequest("GET", "/?"+params.Encode(), nil))
		text, _ := io.ReadAll(w.Body)
		return w.Code, string(text)
	}
	launch := anna.Launch()
	for name, params := range oktest.Tamperings(launch) {
		if status, text := open(params); status != http.StatusForbidden || strings.Contains(text, "sword") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if calls := fake.Calls(); len(calls) != 0 {
		t.Errorf("forged launches made the calls %v", calls)
	}
	if status, text := open(launch); status != http.StatusOK || !strings.Contains(text, "sword:1") {
		t.Errorf("%d %s", status, text)
	}
	if calls := fake.Calls(); len(calls) != 1 || calls[0].UserID != anna.ID() {
		t.Errorf("the launch made the calls %v", calls)
	}
	anna.Revoke()
	if status, text := open(launch); status != http.StatusBadGateway || strings.Contains(text, launch.Get("session_key")) {
		t.Errorf("without a session: %d %s", status, text)
	}
}

// Requests for one payment at the same time book it once, and all succeed.
func TestAddAtOnce(t *testing.T) {
	g, _ := newTestGame(t)
	errs := make([]error, 20)
	var adding sync.WaitGroup
	for i := range errs {
		adding.Go(func() { errs[i] = g.book.add(t.Context(), "1", "578", "sword") })
	}
	adding.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	if goods, err := g.book.goods(t.Context(), "578"); err != nil || goods["sword"] != 1 {
		t.Errorf("goods are %v, %v", goods, err)
	}
}

// Each forgery gets code 104, and a wrong price 1001; none is booked.
func TestForgeries(t *testing.T) {
	fake := oktest.NewServer(app)
	defer fake.Close()
	p := startProcess(t)
	anna := fake.NewUser("anna", "password")
	orders := map[okerrors.Code][]url.Values{}
	for _, params := range oktest.Tamperings(anna.Payment("sword", 100)) {
		orders[okerrors.CodeParamSignature] = append(orders[okerrors.CodeParamSignature], params)
	}
	other := anna.Payment("sword", 100)
	other.Set("application_key", "CBAOTHER")
	without := anna.Payment("sword", 100)
	without.Del("product_code")
	orders[okerrors.CodeCallbackInvalidPayment] = []url.Values{
		fake.Sign(other), fake.Sign(without), anna.Payment("sword", 1), anna.Payment("crown", 100), anna.Payment("", 0),
	}
	for code, all := range orders {
		for _, params := range all {
			tx, err := fake.Pay(t.Context(), oktest.PaymentRequest{URL: "http://" + p.addr + "/payments", Params: params})
			if err != nil || !tx.Canceled || tx.Attempts[0].Code != code {
				t.Errorf("%v: %+v, %v; want code %d", tx, tx.Attempts, err, code)
			}
		}
	}
	if swords := p.swords(); len(swords) != 0 {
		t.Errorf("%d users have swords", len(swords))
	}
}
