// Bulk asks OK for ten thousand users as fast as OK allows, and loses none of
// them. What to learn from it:
//
//   - One client serves all workers. Its limiter, ratelimit.Adaptive, finds
//     the rate by itself; see meter.go for how a program can listen to it, and
//     to a transport.Trace of all calls.
//   - The client repeats what failed, so a worker just makes calls; see the
//     method ask in walk.go.
//   - A chunk that fails for good is not lost but asked again in the next round,
//     and ids with a response are not asked for again. An error that no repeat will
//     mend ends the walk at once.
//   - Ctrl-C ends every call, every pause and every wait in a queue, since all
//     of them have one context.
//
// Without settings it runs against a fake of the service inside the program,
// which limits the rate and fails now and then; see weather.go. With
// OKRU_APPLICATION_KEY, OKRU_APPLICATION_SECRET, OKRU_ACCESS_TOKEN and
// OKRU_SESSION_SECRET_KEY in the environment it asks the real one, for the ids
// of the flag -ids.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"

	"github.com/go-okru/okru"
)

func main() {
	file := flag.String("ids", "", "`file` with one user id per line, - for standard input; the fake has ids of its own")
	workers := flag.Int("workers", 16, "how many calls are under way at a time, at most")
	quiet := flag.Bool("quiet", false, "no progress bar; there is none either if standard error is no terminal")
	flag.Parse()
	if err := run(*file, max(1, *workers), *quiet); err != nil {
		fmt.Fprintln(os.Stderr, "bulk:", err)
		os.Exit(1)
	}
}

func run(file string, workers int, quiet bool) error {
	ok := newService()
	defer ok.stop()
	ids, err := readIDs(file, ok.ids)
	if err != nil {
		return err
	}
	// From here on, not before: nothing would interrupt reading the ids.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	meter := newMeter()
	ok.config.Limiter = meter
	client, err := okru.NewClient(ok.config)
	if err != nil {
		return err
	}
	fmt.Println("asking", ok.name)
	bar := newBar(len(ids), quiet)
	start := time.Now()
	found, err := walker{client: client, workers: workers, progress: bar.add}.walk(meter.traced(ctx), ids)
	elapsed := time.Since(start)
	bar.clear()
	printTable(found, meter, elapsed)
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case err != nil:
		return fmt.Errorf("%d ids are without an answer: %w", len(found.left), err)
	}
	return nil
}

func printTable(found harvest, meter *meter, elapsed time.Duration) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer table.Flush()
	fmt.Fprintf(table, "ids asked for\t%d\n", found.asked)
	fmt.Fprintf(table, "without an answer\t%d\n", len(found.left))
	fmt.Fprintf(table, "users found\t%d\n", len(found.users))
	fmt.Fprintf(table, "attempts\t%d\n", meter.attempts.Load())
	fmt.Fprintf(table, "mean wait for the limiter\t%v\n", meter.meanWait().Round(time.Millisecond))
	fmt.Fprintf(table, "throttled by the server\t%d\n", meter.throttled.Load())
	fmt.Fprintf(table, "calls given up\t%d\n", found.failures)
	fmt.Fprintf(table, "elapsed\t%v\n", elapsed.Round(time.Millisecond))
	fmt.Fprintf(table, "rate found\t%.0f/s\n", meter.rate())
}
