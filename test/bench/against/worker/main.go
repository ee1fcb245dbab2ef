// Command worker measures one row of the program against, which builds it: the
// same calls with the okru of two commits, in turns.
//
//	worker ROW DURATION
//
// It prints the allocations of a call by both, and then for each round how many
// nanoseconds a call took by both, that of the other commit first.
package main

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/go-okru/okru/test/bench/against/worker/rows"
)

// newBefore returns the calls of the other commit. It is set by a file that the
// program against adds.
var newBefore func() (map[string]func() error, error)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 || newBefore == nil {
		return fmt.Errorf("it is run by the program against")
	}
	name := args[0]
	during, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	before, err := newBefore()
	if err != nil {
		return err
	}
	now, err := rows.New()
	if err != nil {
		return err
	}
	if before[name] == nil || now[name] == nil {
		return fmt.Errorf("no row is named %s", name)
	}
	return compare(before[name], now[name], during)
}

// roundTime is about how long one side of a round takes. It is long enough that the
// caches have forgotten the other side.
const roundTime = 10 * time.Millisecond

// compare measures two calls in turns and prints what they cost.
func compare(before, now func() error, during time.Duration) error {
	var err error
	check := func(call func() error) func() {
		return func() {
			if e := call(); e != nil {
				err = e
			}
		}
	}
	fmt.Println(testing.AllocsPerRun(200, check(before)), testing.AllocsPerRun(200, check(now)))
	const warm = 2000
	calls := max(10, int(float64(roundTime)/(1+cost(before, warm, &err))))
	end := time.Now().Add(during)
	for n := 0; err == nil && (n < 2 || time.Now().Before(end)); n++ {
		sides := []func() error{before, now}
		var took [2]float64
		for i := range sides { // the one that begins changes from round to round
			side := (i + n) % 2
			took[side] = cost(sides[side], calls, &err)
		}
		fmt.Println(took[0], took[1])
	}
	return err
}

// cost returns the CPU time of one of n calls in nanoseconds, garbage collection
// included.
func cost(call func() error, n int, err *error) float64 {
	begin := cpuTime()
	for range n {
		if e := call(); e != nil {
			*err = e
		}
	}
	return float64(cpuTime()-begin) / float64(n)
}

// cpuTime returns the CPU time of this process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
