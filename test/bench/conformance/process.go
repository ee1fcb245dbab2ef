package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-okru/okru/rttest"
)

// subjectVariable names the subject that a process checks, if it checks only
// one.
const subjectVariable = "CONFORMANCE_SUBJECT"

// result is what became of a subject.
type result struct {
	subject
	violations []rttest.Violation // by clause
	crash      string             // why there are no results; empty: there are
}

// first returns the first violation of c.
func (r result) first(c rttest.Clause) (rttest.Violation, bool) {
	i := slices.IndexFunc(r.violations, func(v rttest.Violation) bool { return v.Clause == c })
	if i < 0 {
		return rttest.Violation{}, false
	}
	return r.violations[i], true
}

// runAll checks every subject in a process of its own, since one that panics
// in a goroutine, or hangs, would take the others with it.
func runAll(ctx context.Context, list []subject, timeout time.Duration) []result {
	results := make([]result, len(list))
	free := make(chan struct{}, runtime.NumCPU())
	var wg sync.WaitGroup
	for i, s := range list {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			results[i] = run(ctx, s)
		})
	}
	wg.Wait()
	return results
}

// run checks s in another process.
func run(ctx context.Context, s subject) result {
	r := result{subject: s}
	exe, err := os.Executable()
	if err != nil {
		r.crash = err.Error()
		return r
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, exe)
	cmd.Env = append(os.Environ(), subjectVariable+"="+s.name)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		r.crash = fmt.Sprintf("%v: %s", err, firstLine(stderr.String()))
		if ctx.Err() != nil {
			r.crash = "does not come to an end"
		}
		return r
	}
	if err := json.Unmarshal(stdout.Bytes(), &r.violations); err != nil {
		r.crash = err.Error()
	}
	return r
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// answerParent checks the subject with this name, and sends the parent process
// what it found.
func answerParent(name string) {
	list := subjects()
	i := slices.IndexFunc(list, func(s subject) bool { return s.name == name })
	if i < 0 {
		log.Fatalf("no subject %q", name)
	}
	stdout := os.Stdout
	os.Stdout = os.Stderr // for subjects that print
	if err := json.NewEncoder(stdout).Encode(rttest.Check(list[i].kit)); err != nil {
		log.Fatal(err)
	}
}
