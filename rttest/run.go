package rttest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

// Run checks k by [Check] and reports every [Clause] in a subtest of its own.
// It must not be called in a bubble of [testing/synctest].
func Run(t *testing.T, k Kit) {
	t.Helper()
	found := Check(k)
	for _, c := range clauses {
		t.Run(string(c), func(t *testing.T) {
			t.Helper()
			if reason, ok := k.Except[c]; ok {
				t.Skip(reason)
			}
			for _, v := range found {
				if v.Clause == c {
					t.Errorf("%s: %s", v.Case, v.Detail)
				}
			}
		})
	}
}

// A Violation is a rule broken.
type Violation struct {
	Clause Clause
	Case   string // of what kind the request was, and what next did with it
	Detail string // what went wrong; Case and Detail are for people, and may change
}

// String returns all of v in one line.
func (v Violation) String() string {
	return fmt.Sprintf("%s: %s: %s", v.Clause, v.Case, v.Detail)
}

// Check checks k and returns what it found, in the order of [Clauses]; nil if
// the layer keeps every rule. What went wrong in the same way in several cases
// is reported for the first one. It takes about a second of computing.
//
// Check panics if Kit.Wrap is nil, if a function of Kit.Requests returns nil,
// or if Kit.Except has an unknown rule. A panic of the layer is a violation.
//
// A layer that never returns, or leaves goroutines behind, leaves them behind
// in the program as well. Data races are not among the results: the race
// detector reports them. Check must not be called in a bubble of
// [testing/synctest].
func Check(k Kit) []Violation {
	k = k.defaults()
	rec := &recorder{except: k.Except}
	for _, check := range []func(Kit, *recorder){
		checkCalls, checkRefusal, checkContext, checkUpload, checkStream,
		checkRedirect, checkUpgrade, checkChain,
		checkConcurrent, // last: what is known to be broken would race
	} {
		check(k, rec)
	}
	return rec.sorted()
}

// recorder collects violations.
type recorder struct {
	except map[Clause]string

	mu   sync.Mutex
	list []Violation
}

func (r *recorder) add(v Violation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := func(old Violation) bool { return old.Clause == v.Clause && old.Detail == v.Detail }
	if !slices.ContainsFunc(r.list, known) {
		r.list = append(r.list, v)
	}
}

// addAll adds the violations of these rules.
func (r *recorder) addAll(list []Violation, of ...Clause) {
	for _, v := range list {
		if slices.Contains(of, v.Clause) {
			r.add(v)
		}
	}
}

// has reports whether any of these rules is broken, excepted or not.
func (r *recorder) has(of ...Clause) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.list, func(v Violation) bool { return slices.Contains(of, v.Clause) })
}

func (r *recorder) sorted() []Violation {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []Violation
	for _, c := range clauses {
		for _, v := range r.list {
			if _, excepted := r.except[c]; v.Clause == c && !excepted {
				list = append(list, v)
			}
		}
	}
	return list
}
