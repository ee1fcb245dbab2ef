package transport

import (
	"errors"
	"sync/atomic"
)

// ErrBudget says that [Retry] would have repeated a request, had the retry
// budget of this client not been spent. The error that is ErrBudget wraps the
// error of the transport as well, and is final for layers above.
var ErrBudget = errors.New("okru: not repeated, the retry budget of this client is spent")

// budget is a token bucket that only successes fill: during an outage there
// are none, however long it lasts. See
// https://github.com/grpc/proposal/blob/master/A6-client-retries.md, throttling.
type budget struct{ left atomic.Int64 }

// A success earns 1, a repeat costs several.
const (
	repeatCost = 5
	budgetSize = 200 * repeatCost
)

func newBudget() *budget {
	b := new(budget)
	b.left.Store(budgetSize)
	return b
}

func (b *budget) full() bool { return b.left.Load() >= budgetSize }

// take pays for a repeat and returns false if it cannot.
func (b *budget) take() bool {
	for {
		left := b.left.Load()
		if left < repeatCost {
			return false
		}
		if b.left.CompareAndSwap(left, left-repeatCost) {
			return true
		}
	}
}

// refund returns what a repeat cost that was not made.
func (b *budget) refund() { b.add(repeatCost) }

// earn adds what a success is worth.
func (b *budget) earn() { b.add(1) }

func (b *budget) add(n int64) {
	for {
		left := b.left.Load()
		if left >= budgetSize || b.left.CompareAndSwap(left, min(left+n, budgetSize)) {
			return
		}
	}
}
