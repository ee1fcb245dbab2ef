// Command worker makes calls of one kind on request, and reports how long they
// took. The program against builds it twice, with the okru of two
// commits, so this file uses only names that both have.
//
// It reads lines "ROW CALLS" and answers each with one line: nanoseconds of CPU
// time per call and allocations per call. CPU time, unlike that of the clock,
// does not grow while other programs have the processor.
package main

import (
	"bufio"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"
)

func main() {
	rows, err := newRows()
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var name string
		var calls int
		if _, err := fmt.Sscan(lines.Text(), &name, &calls); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		ns, allocs, err := measure(rows[name], calls)
		if err != nil {
			fmt.Fprintf(os.Stderr, "worker: %s: %v\n", name, err)
			os.Exit(1)
		}
		fmt.Println(ns, allocs)
	}
}

// warm is how many calls precede each measurement: the caches were filled by
// another process.
const warm = 20

// measure makes calls calls and returns their cost. With calls zero it counts
// allocations, which takes longer.
func measure(call func() error, calls int) (ns, allocs float64, err error) {
	if call == nil {
		return 0, 0, fmt.Errorf("no such row")
	}
	if calls == 0 {
		allocs = testing.AllocsPerRun(200, func() { err = call() })
		return 0, allocs, err
	}
	for range warm {
		if err := call(); err != nil {
			return 0, 0, err
		}
	}
	start := cpuTime()
	for range calls {
		if err := call(); err != nil {
			return 0, 0, err
		}
	}
	return float64(cpuTime()-start) / float64(calls), 0, nil
}

// cpuTime returns the CPU time of this process, garbage collection included.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
