package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-okru/okru/oktest"
)

// booked is the response that OK documents.
const booked = `<?xml version="1.0" encoding="UTF-8"?><callbacks_payment_response xmlns="http://api.forticom.com/1.0/">true</callbacks_payment_response>`

// An order is a payment, and how many of the responses are lost.
type order struct {
	user   string
	params url.Values
	lost   int
}

// newOrders returns payments of one sword each, each by another user, which
// makes a second booking visible. Every tenth has no transaction_id, as events
// of a subscription may.
func newOrders(fake *oktest.Server, n int, random *rand.Rand) []order {
	orders := make([]order, n)
	for i := range orders {
		user := fake.NewUser(fmt.Sprint("user", i), "password")
		o := order{user: user.ID(), params: user.Payment("sword", 100)}
		if i%10 == 0 {
			o.params.Set("transaction_id", "")
			fake.Sign(o.params)
		}
		switch random.IntN(10) {
		case 0:
			o.lost = 3
		case 1, 2:
			o.lost = 1 + random.IntN(2)
		}
		orders[i] = o
	}
	return orders
}

// payAll sends the orders, several at once, and returns the transactions.
func payAll(t *testing.T, fake *oktest.Server, addr string, orders []order, delay time.Duration) []oktest.Transaction {
	transactions := make([]oktest.Transaction, len(orders))
	next := make(chan int)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for i := range next {
				tx, err := fake.Pay(t.Context(), oktest.PaymentRequest{
					URL: "http://" + addr + "/payments", Params: orders[i].params, Lost: orders[i].lost, Delay: delay,
				})
				if err != nil {
					t.Error(err)
				}
				transactions[i] = tx
			}
		})
	}
	for i := range orders {
		next <- i
	}
	close(next)
	workers.Wait()
	return transactions
}

// The process is killed at random moments while OK asks it to book payments.
// Whatever OK considers accepted is booked, once, and whatever was accepted
// before is accepted again. The journal of the fake and the table are judges.
func TestKill(t *testing.T) {
	n := 150
	if os.Getenv("OKRU_LONG") != "" {
		n = 1000
	}
	random := rand.New(rand.NewPCG(1, uint64(n)))
	fake := oktest.NewServer(app)
	defer fake.Close()
	p := startProcess(t)
	orders := newOrders(fake, n, random)

	ctx, stop := context.WithCancel(t.Context())
	killed := make(chan int)
	go func() { killed <- p.killAtRandom(ctx, random) }()
	transactions := payAll(t, fake, p.addr, orders, 150*time.Millisecond)
	stop()
	kills := <-killed

	swords := p.swords()
	var accepted, lateRepeats, cut int
	for i, tx := range transactions {
		a, c := checkAttempts(t, tx)
		lateRepeats, cut = lateRepeats+a, cut+c
		if tx.Accepted {
			accepted++
		}
		if got := swords[orders[i].user]; got > 1 || tx.Accepted && got != 1 {
			t.Errorf("accepted %t, and the user has %d swords: %+v", tx.Accepted, got, tx.Attempts)
		}
	}
	t.Logf("%d payments, %d kills, %d requests cut, %d accepted, %d accepted again, %d booked", n, kills, cut, accepted, lateRepeats, len(swords))
	if cut == 0 || lateRepeats == 0 || accepted == 0 || accepted == n {
		t.Error("the run was too quiet to show anything")
	}

	// A repeat of every payment books what was not booked, and nothing twice.
	for i := range orders {
		orders[i].lost = 0
	}
	for _, tx := range payAll(t, fake, p.addr, orders, time.Second) {
		if !tx.Accepted || len(tx.Attempts) != 1 {
			t.Errorf("repeat: %+v", tx.Attempts)
		}
	}
	swords = p.swords()
	for _, o := range orders {
		if swords[o.user] != 1 {
			t.Errorf("after a repeat of every payment, a user has %d swords", swords[o.user])
		}
	}
}

// checkAttempts checks the responses of a transaction: each is that of a booked
// payment, or was cut off. It returns how many repeats of an accepted payment
// were accepted, and how many requests were cut off.
func checkAttempts(t *testing.T, tx oktest.Transaction) (again, cut int) {
	t.Helper()
	for i, a := range tx.Attempts {
		switch {
		case a.Problem != "":
			cut++
		case a.Body != booked:
			t.Errorf("attempt %d: response is %s", i+1, a.Body)
		case i > 0 && tx.Attempts[i-1].Accepted:
			again++
		}
	}
	return again, cut
}
