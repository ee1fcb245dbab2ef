package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"
)

var defaultPatterns = []string{"./transport/...", "./oauth/...", "./ratelimit/...", "./errors/...", "./internal/..."}

func main() {
	n := flag.Int("n", 400, "how many mutants that compile")
	seed := flag.Uint64("seed", 1, "of the sample")
	timeout := flag.Duration("timeout", 90*time.Second, "of the tests of one package")
	jobs := flag.Int("jobs", runtime.NumCPU(), "how many mutants are tried at once")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: mutate [flags] directory [packages]")
		os.Exit(2)
	}
	patterns := flag.Args()[1:]
	if len(patterns) == 0 {
		patterns = defaultPatterns
	}
	if err := run(flag.Arg(0), patterns, *n, *seed, *timeout, *jobs); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(dir string, patterns []string, n int, seed uint64, timeout time.Duration, jobs int) error {
	m, err := loadModule(dir)
	if err != nil {
		return err
	}
	sites, err := m.sites(patterns)
	if err != nil {
		return err
	}
	sites = slices.DeleteFunc(sites, func(s site) bool { return m.isTestSupport(s.pkg) })
	if err := limitMemory(); err != nil {
		return err
	}
	if err := m.check(sites, timeout); err != nil {
		return err
	}
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(sites), func(i, j int) { sites[i], sites[j] = sites[j], sites[i] })
	fmt.Printf("%d mutations of %d are tried, seed %d\n", min(n, len(sites)), len(sites), seed)
	s := &sample{module: m, sites: sites, want: n, timeout: timeout, score: make(map[string]*score)}
	var wg sync.WaitGroup
	for range jobs {
		wg.Go(s.work)
	}
	wg.Wait()
	s.print()
	return s.err
}

// isTestSupport reports whether a package is there for tests only.
func (m *module) isTestSupport(path string) bool {
	dir, err := filepath.Rel(m.dir, m.packages[path].Dir)
	return err == nil && slices.Contains([]string{"internal/test", "internal/test/canary"}, filepath.ToSlash(dir))
}

// A sample is a run over the sites, in their order, by several goroutines.
type sample struct {
	module  *module
	want    int
	timeout time.Duration

	mu    sync.Mutex
	sites []site // not tried yet
	tried int    // or being tried
	score map[string]*score
	err   error
}

type score struct{ killed, all int }

// work tries one site after the other.
func (s *sample) work() {
	for {
		next, ok := s.take()
		if !ok {
			return
		}
		v, err := s.module.try(next, s.timeout)
		s.note(next, v, err)
	}
}

func (s *sample) take() (next site, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.tried >= s.want || len(s.sites) == 0 {
		return site{}, false
	}
	next, s.sites = s.sites[0], s.sites[1:]
	s.tried++
	return next, true
}

// note prints what became of a mutant, and counts it. One that does not
// compile is replaced by another.
func (s *sample) note(m site, v verdict, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		s.err = err
		return
	case v == invalid:
		s.tried--
		return
	}
	file, _ := filepath.Rel(s.module.dir, m.file)
	fmt.Printf("%-8s %s:%d: %s\n", v, file, m.line, m.kind)
	if s.score[m.pkg] == nil {
		s.score[m.pkg] = new(score)
	}
	s.score[m.pkg].all++
	if v == killed {
		s.score[m.pkg].killed++
	} else {
		fmt.Print(m.diff(m.src))
	}
}

func (s *sample) print() {
	var total score
	for _, path := range s.module.sorted() {
		if p := s.score[path]; p != nil {
			fmt.Printf("%4d of %4d killed in %s\n", p.killed, p.all, path)
			total.killed += p.killed
			total.all += p.all
		}
	}
	fmt.Printf("%4d of %4d killed: %.1f %%\n", total.killed, total.all, 100*float64(total.killed)/float64(max(total.all, 1)))
}
