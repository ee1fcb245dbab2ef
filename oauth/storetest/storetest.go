// Package storetest tests implementations of [oauth.Store].
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) (a, b oauth.Store) {
//			dir := t.TempDir()
//			return New(dir), New(dir)
//		})
//	}
//
// It tests what a [oauth.Source] and [oauth.Sessions] need: that a session
// survives unchanged, with its session secret and the marks of the Source; that
// a save replaces everything or nothing; and that the lock excludes every other
// holder and ends with its context. If the store has a method Delete, that is
// tested as well.
//
// Every case ends in bounded time, also on a store that ignores its context: it
// then fails, and the call that hangs is abandoned.
package storetest

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/go-okru/okru/oauth"
)

// An Option gives Run more ways to use a store.
type Option func(*config)

type config struct {
	expire  func(t *testing.T, holder oauth.Store)
	corrupt func(t *testing.T, s oauth.Store)
}

// Expire makes Run test what happens if the holder of the lock is killed. The
// function must make the lock of holder end without its unlock being called, for
// example by moving the clock beyond the lease. Without this option that is not
// tested.
func Expire(f func(t *testing.T, holder oauth.Store)) Option {
	return func(c *config) { c.expire = f }
}

// Corrupt makes Run test what happens if the content of the store is damaged.
// The function must damage what is stored in s. Without this option that is not
// tested.
func Corrupt(f func(t *testing.T, s oauth.Store)) Option {
	return func(c *config) { c.corrupt = f }
}

// Run tests a store. Each call of open must return two Stores that use the same
// new, empty storage, as two processes would. open may register cleanups with
// its t. Each case is a subtest.
func Run(t *testing.T, open func(t *testing.T) (a, b oauth.Store), opts ...Option) {
	for _, c := range allCases {
		t.Run(c.name, func(t *testing.T) {
			problems, skipped := run(t, c, open, opts...)
			if skipped != "" {
				t.Skip(skipped)
			}
			for _, problem := range problems {
				t.Error(problem)
			}
		})
	}
}

// Times of the cases. They are long enough for a store on a slow network, and
// short enough that a store that hangs fails soon.
const (
	opTimeout   = 3 * time.Second        // of one operation that should succeed
	grace       = 2 * time.Second        // after which an operation whose context has ended counts as hanging
	lockWait    = 100 * time.Millisecond // of an operation that should wait for the lock in vain
	caseTimeout = 30 * time.Second
)

// A kit is what a case works with.
type kit struct {
	t      *testing.T
	a, b   oauth.Store
	config config

	mu       sync.Mutex
	problems []string
	skipped  string
}

// run runs one case and returns what it found.
func run(t *testing.T, c testCase, open func(t *testing.T) (a, b oauth.Store), opts ...Option) (problems []string, skipped string) {
	k := &kit{t: t}
	for _, o := range opts {
		o(&k.config)
	}
	k.a, k.b = open(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				k.errorf("the store panics: %v", v)
			}
		}()
		c.run(k)
	}()
	select {
	case <-done:
	case <-time.After(caseTimeout):
		k.errorf("the case did not end within %v", caseTimeout)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.problems, k.skipped
}

// errorf records a problem.
func (k *kit) errorf(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.problems = append(k.problems, fmt.Sprintf(format, args...))
}

// fatalf records a problem and ends the case.
func (k *kit) fatalf(format string, args ...any) {
	k.errorf(format, args...)
	runtime.Goexit()
}

// skip ends the case without a result.
func (k *kit) skip(reason string) {
	k.mu.Lock()
	k.skipped = reason
	k.mu.Unlock()
	runtime.Goexit()
}

// A result is what an operation returned.
type result[T any] struct {
	value T
	err   error
}

// do calls an operation of a store with a context that ends after timeout. If
// the operation does not return then, do ends the case. A late value is passed
// to late.
func do[T any](k *kit, name string, timeout time.Duration, op func(context.Context) (T, error), late func(T)) (T, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	done := make(chan result[T], 1)
	panicked := make(chan any, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				panicked <- v
			}
		}()
		var r result[T]
		r.value, r.err = op(ctx)
		done <- r
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case v := <-panicked:
		k.fatalf("%s panics: %v", name, v)
	case <-time.After(timeout + grace):
		if late != nil {
			go func() { late((<-done).value) }()
		}
		k.fatalf("%s does not return, although its context has ended: it ignores its context", name)
	}
	panic("unreachable")
}
