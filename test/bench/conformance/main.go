// Command conformance runs the kit of package rttest over the layers of okru
// and over RoundTrippers of other modules, and prints which keep which rule:
//
//	go -C test/bench run ./conformance
//
// It also writes the tables to the file -out.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"time"
)

func main() {
	log.SetFlags(0)
	if name := os.Getenv(subjectVariable); name != "" {
		answerParent(name)
		return
	}
	out := flag.String("out", "conformance/results.md", "where to write the tables, as well; empty: nowhere")
	timeout := flag.Duration("timeout", 2*time.Minute, "how long one RoundTripper may take")
	flag.Parse()

	text := report(runAll(context.Background(), subjects(), *timeout))
	fmt.Print(text)
	if *out == "" {
		return
	}
	if err := os.WriteFile(*out, []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
}
