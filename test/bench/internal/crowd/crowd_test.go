package crowd_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru/test/bench/internal/crowd"
)

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 50
		var calls [n]atomic.Int32
		took := crowd.Run(n, func(i int) {
			calls[i].Add(1)
			time.Sleep(time.Duration(i+1) * time.Second)
		})
		if took != n*time.Second {
			t.Errorf("it took %v; want %v, as long as the slowest", took, n*time.Second)
		}
		for i := range calls {
			if count := calls[i].Load(); count != 1 {
				t.Errorf("%d was called %d times, want once", i, count)
			}
		}
	})
}
