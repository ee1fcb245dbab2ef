// Package crowd lets many goroutines do something at the same time.
package crowd

import (
	"sync"
	"time"
)

// Run calls f in n goroutines, with 0 to n-1, once all of them are ready. It
// returns how long they took together.
func Run(n int, f func(i int)) time.Duration {
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-begin
			f(i)
		})
	}
	ready.Wait()
	start := time.Now()
	close(begin)
	done.Wait()
	return time.Since(start)
}
