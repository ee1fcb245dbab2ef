package storetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru/oauth"
)

func TestFileStore(t *testing.T) {
	var path string
	Run(t, func(t *testing.T) (a, b oauth.Store) {
		path = filepath.Join(t.TempDir(), "dir", "session.json")
		return oauth.FileStore(path), oauth.FileStore(path)
	}, Corrupt(func(t *testing.T, _ oauth.Store) {
		if err := os.WriteFile(path, []byte(`{"version":1,"access`), 0o600); err != nil {
			t.Fatal(err)
		}
	}))
}

func TestCorrectStorePasses(t *testing.T) {
	Run(t, func(*testing.T) (a, b oauth.Store) { return newStorage().stores("") }, Expire(expire), Corrupt(corrupt))
}

// runCase runs one case on a store that is broken in one way, and returns what
// it found after which time.
func runCase(t *testing.T, name, broken string, opts ...Option) (problems []string, took time.Duration, s *storage) {
	t.Helper()
	i := slices.IndexFunc(allCases, func(c testCase) bool { return c.name == name })
	if i < 0 {
		t.Fatalf("there is no case %s", name)
	}
	s = newStorage()
	start := time.Now()
	problems, _ = run(t, allCases[i], func(*testing.T) (a, b oauth.Store) { return s.stores(broken) }, opts...)
	return problems, time.Since(start), s
}

// unique returns texts without those that occurred before.
func unique(texts []string) []string {
	var once []string
	for _, text := range texts {
		if !slices.Contains(once, text) {
			once = append(once, text)
		}
	}
	return once
}

// The kit finds each of these stores, and says what is wrong with it, in bounded
// time.
func TestBrokenStoresAreFound(t *testing.T) {
	for _, test := range []struct {
		broken, found string // found by the case
		took          string
		want          []string
	}{
		{"empty is an error", "EmptyStore", "0s", []string{"Load: not found"}},
		{"empty is an empty token", "EmptyStore", "0s", []string{"Load returns a session, want none"}},
		{"loses extras", "KeepsEverything", "0s", []string{`after Save, Load returns another session: extra session_secret_key is <nil>, want "0123456789"`}},
		{"loses the refresh token", "KeepsEverything", "0s", []string{`after Save, Load returns another session: refresh token is "", want "refresh A"`}},
		{"loses the lifetime", "KeepsEverything", "0s", []string{"after Save, Load returns another session: ExpiresIn is 0, want 1800"}},
		{"loses the expiry", "KeepsEverything", "0s", []string{"after Save, Load returns another session: expiry is 0001-01-01 00:00:00 +0000 UTC, want 2040-01-02 03:04:05 +0300 +0300"}},
		{"the expiry is a second late", "KeepsEverything", "0s", []string{
			"after Save, Load returns another session: expiry is 2040-01-02 03:04:06 +0300 +0300, want 2040-01-02 03:04:05 +0300 +0300",
			"after Save, Load returns another session: expiry is 0001-01-01 00:00:01 +0000 UTC, want 0001-01-01 00:00:00 +0000 UTC",
		}},
		{"rounds the expiry to a minute", "KeepsEverything", "0s", []string{"after Save, Load returns another session: expiry is 2040-01-02 03:04:00 +0300 +0300, want 2040-01-02 03:04:05 +0300 +0300"}},
		{"loses the time zone", "KeepsEverything", "0s", []string{"after Save, Load returns another session: expiry is 2040-01-02 03:04:05 +0000 UTC, want 2040-01-02 03:04:05 +0300 +0300"}},
		{"loses the type", "KeepsEverything", "0s", []string{`after Save, Load returns another session: token type is "", want "session"`}},
		{"secret becomes a number", "KeepsEverything", "0s", []string{
			`after Save, Load returns another session: extra session_secret_key is "123456789", want "0123456789"`,
			`after Save, Load returns another session: extra session_secret_key is "123456789", want <nil>`,
		}},
		{"loses other extras", "KeepsEverything", "0s", []string{`after Save, Load returns another session: extra permissions_granted is <nil>, want "VALUABLE_ACCESS;%s ?1 'Анна' \"\\"`}},
		{"loses the mark of the chain", "KeepsEverything", "0s", []string{`after Save, Load returns another session: extra okru_chain is <nil>, want "chain A"`}},
		{"doubles quotes", "KeepsEverything", "0s", []string{`after Save, Load returns another session: extra permissions_granted is "VALUABLE_ACCESS;%s ?1 ''Анна'' \"\\", want "VALUABLE_ACCESS;%s ?1 'Анна' \"\\"`}},
		{"Load is cached", "KeepsEverything", "0s", []string{`after Save, Load returns another session: access token is "A", want "B"`}},
		{"Save does nothing", "KeepsEverything", "0s", []string{"after Save, Load returns another session: nothing is stored"}},
		{"Save fails", "KeepsEverything", "0s", []string{"Save: disk full"}},
		{"keeps old fields", "SaveReplaces", "0s", []string{`after Save, Load returns another session: refresh token is "refresh C", want ""`}},
		{"cuts long values", "SaveReplaces", "0s", []string{"after Save, Load returns another session: access token is \"" + strings.Repeat("long", 64)[:255] + `", want "` + strings.Repeat("long", 1000) + `"`}},
		{"the token is shared", "KeepsCopies", "0s", []string{
			`after Save, Load returns another session: access token is "changed after Save", want "A"`,
			`after Save, Load returns another session: access token is "changed after Load", want "A"`,
		}},
		{"the second Load fails", "KeepsCopies", "0s", []string{"Load: false, connection lost"}},
		{"the second Load finds nothing", "KeepsCopies", "0s", []string{"Load: false, <nil>"}},
		{"Save is not atomic", "SaveIsAtomic", "31ms", []string{"Load during a Save: false, okru: stored session: it is not a JSON object, or only a part of one"}},
		{"Save deletes first", "SaveIsAtomic", "31ms", []string{"Load during a Save: false, <nil>"}},
		{"Save writes twice", "SaveIsAtomic", "31ms", []string{`Load during a Save returns a mixture: refresh token is "refresh 0", want "refresh x"`}},
		{"Save is not atomic", "ConcurrentUse", "21ms", []string{"Load during a Save of the same Store: false, okru: stored session: it is not a JSON object, or only a part of one"}},
		{"Save deletes first", "ConcurrentUse", "21ms", []string{"Load during a Save of the same Store: false, <nil>"}},
		{"Save writes twice", "ConcurrentUse", "21ms", []string{`Load during a Save of the same Store returns a mixture: refresh token is "refresh 100", want "refresh 101"`}},
		{"ended context saves half", "EndedContext", "0s", []string{`after Save, Load returns another session: access token is "B", want "A"`}},
		{"Lock does nothing", "LockExcludes", "0s", []string{"two callers hold the lock"}},
		{"Lock is per process", "LockExcludes", "100ms", []string{"two callers hold the lock"}},
		{"Lock hides the error of its context", "LockExcludes", "200ms", []string{"Lock of a locked store: locked, want the error of the context"}},
		{"lock ends with the context of Lock", "LockExcludes", "0s", []string{"two callers hold the lock"}},
		{"Lock returns nothing", "LockExcludes", "0s", []string{"Lock returns neither a function nor an error"}},
		{"unlock does nothing", "LockIsReleased", "3s", []string{"Lock: context deadline exceeded"}},
		{"Lock fails after a wait", "LockIsReleased", "100ms", []string{"Lock after an unlock: connection lost"}},
		{"Lock hangs after a wait", "LockIsReleased", "5s", []string{"Lock does not return, although its context has ended: it ignores its context"}},
		{"Lock does nothing", "LockEndsWithContext", "0s", []string{"two callers hold the lock"}},
		{"Lock takes the lock after its deadline", "LockEndsWithContext", "3.3s", []string{"Lock: context deadline exceeded"}},
		{"canceled Lock takes the lock later", "LockEndsWithContext", "3.5s", []string{"Lock: context deadline exceeded"}},
		{"Lock hides the error of its context", "LockEndsWithContext", "500ms", []string{"Lock whose context is canceled while it waits: locked, want context.Canceled"}},
		{"Lock with an ended context returns nothing", "LockEndsWithContext", "500ms", []string{"Lock with a canceled context: <nil>, want context.Canceled"}},
		{"Lock does nothing", "LockUnderLoad", "3ms", []string{"two callers hold the lock"}},
		{"unlock does nothing", "LockUnderLoad", "12.001s", []string{"Lock: context deadline exceeded"}},
		{"Delete does nothing", "Delete", "300ms", []string{"Load returns a session, want none"}},
		{"Delete fails on nothing", "Delete", "300ms", []string{"Delete: not found"}},
		{"Delete releases the lock", "Delete", "0s", []string{"Delete releases the lock"}},
		{"Load returns what was deleted", "Delete", "300ms", []string{"Load returns a session, want none"}},
		{"corrupt is nothing", "Corrupt", "0s", []string{"Load of damaged content: false, <nil>; want oauth.ErrCorrupt"}},
		{"corrupt is another error", "Corrupt", "0s", []string{"Load of damaged content: false, broken; want oauth.ErrCorrupt"}},
		{"killed holder keeps the lock", "HolderIsKilled", "3s", []string{"Lock after the holder was killed: context deadline exceeded"}},
		{"the next holder cannot save", "HolderIsKilled", "100ms", []string{
			"Save by the new holder: disk full",
			`after Save, Load returns another session: access token is "A", want "B"`,
		}},
		{"late holder saves", "HolderIsKilled", "100ms", []string{
			"a holder that has lost the lock can save while the next one holds the lock",
			`after Save, Load returns another session: access token is "late", want "B"`,
			"a holder that has lost the lock can save while the next one has released the lock",
		}},
		{"late holder saves after the next", "HolderIsKilled", "100ms", []string{
			"a holder that has lost the lock can save while the next one has released the lock",
			`after Save, Load returns another session: access token is "late", want "B"`,
		}},
		{"late holder deletes", "HolderIsKilled", "100ms", []string{
			"a holder that has lost the lock can delete while the next one holds the lock",
			"after Save, Load returns another session: nothing is stored",
			"a holder that has lost the lock can delete while the next one has released the lock",
		}},
		{"late holder unlocks", "HolderIsKilled", "0s", []string{"a holder that has lost the lock releases that of the next one"}},
		{"Load fails", "OneRenewal", "0s", []string{"a Source over the store: okru: sign-in failed: the session store cannot be read: connection lost; next attempt in 5s"}},
		{"the second Load fails", "OneRenewal", "0s", []string{
			"a Source over the store: okru: sign-in failed: the session store cannot be read: connection lost; next attempt in 5s",
			"0 renewals by two processes, want 1",
		}},
		{"Lock does nothing", "OneRenewal", "100ms", []string{
			`a Source has session "new 2", want "new 1"`,
			"2 renewals by two processes, want 1",
		}},
		{"Load hangs", "EmptyStore", "5s", []string{"Load does not return, although its context has ended: it ignores its context"}},
		{"Save hangs", "KeepsEverything", "5s", []string{"Save does not return, although its context has ended: it ignores its context"}},
		{"Lock hangs", "LockExcludes", "5s", []string{"Lock does not return, although its context has ended: it ignores its context"}},
		{"Lock ignores its context", "LockExcludes", "2.1s", []string{"Lock does not return, although its context has ended: it ignores its context"}},
		{"Lock ends only with a deadline", "LockEndsWithContext", "2.4s", []string{"Lock does not return, although its context has ended: it ignores its context"}},
		{"Lock hangs with an ended context", "LockEndsWithContext", "5.3s", []string{"Lock does not return, although its context has ended: it ignores its context"}},
		{"Load hangs with an ended context", "EndedContext", "5s", []string{"Load does not return, although its context has ended: it ignores its context"}},
		{"Save hangs with an ended context", "EndedContext", "5s", []string{"Save does not return, although its context has ended: it ignores its context"}},
		{"unlock hangs", "LockIsReleased", "5s", []string{"unlock does not return, although its context has ended: it ignores its context"}},
		{"Delete hangs", "Delete", "5s", []string{"Delete does not return, although its context has ended: it ignores its context"}},
		{"Load panics", "EmptyStore", "0s", []string{"Load panics: boom"}},
		{"Save panics", "KeepsEverything", "0s", []string{"Save panics: boom"}},
		{"Lock panics", "LockExcludes", "0s", []string{"Lock panics: boom"}},
		{"unlock panics", "LockIsReleased", "0s", []string{"unlock panics: boom"}},
		{"Delete panics", "Delete", "0s", []string{"Delete panics: boom"}},
	} {
		t.Run(test.broken+"/"+test.found, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				problems, took, s := runCase(t, test.found, test.broken, Expire(expire), Corrupt(corrupt))
				problems = unique(problems)
				if !slices.Equal(problems, test.want) {
					t.Errorf("the kit says\n%q, want\n%q", problems, test.want)
				}
				if took.String() != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
				s.stop()
			})
		})
	}
}

// Which problems a race shows depends on the order of its goroutines.
func TestRacesAreFound(t *testing.T) {
	const outOfOrder = `^Load during a Save of the same Store returns session "\d+", want one of \d+ to \d+$`
	for _, test := range []struct{ broken, found, want string }{
		{"one buffer for all calls", "ConcurrentUse", outOfOrder},
		{"every second Load returns the first session", "ConcurrentUse", outOfOrder},
		{"Load is ahead", "ConcurrentUse", outOfOrder},
		{"Lock is per process", "LockUnderLoad", "^two callers hold the lock$"},
		{"Lock does nothing later", "LockUnderLoad", "^two callers hold the lock$"},
	} {
		synctest.Test(t, func(t *testing.T) {
			problems, _, s := runCase(t, test.found, test.broken)
			if !slices.ContainsFunc(problems, regexp.MustCompile(test.want).MatchString) {
				t.Errorf("%s: the kit says %q, want also %s", test.broken, problems, test.want)
			}
			s.stop()
		})
	}
}

// Each case asks a correct store for this, in this time, and leaves it unlocked.
func TestCases(t *testing.T) {
	for _, test := range []struct{ name, took, want string }{
		{"EmptyStore", "0s", "a.Load b.Load"},
		{"KeepsEverything", "0s", "a.Lock a.Save A a.unlock b.Load a.Load b.Lock b.Save B b.unlock a.Load"},
		{"SaveReplaces", "0s", "a.Lock a.Save of 4000 bytes a.unlock b.Load b.Lock b.Save B b.unlock a.Load b.Lock b.Save C b.unlock a.Load a.Lock a.Save D a.unlock b.Load"},
		{"KeepsCopies", "0s", "a.Lock a.Save A a.unlock a.Load a.Load a.Load"},
		{"SaveIsAtomic", "0s", "31 saves, the last a.Save of 14501 bytes"},
		{"ConcurrentUse", "0s", "21 saves, the last a.Save 120"},
		{"EndedContext", "0s", "a.Lock a.Save A a.unlock a.Load a.Save B"},
		{"LockExcludes", "200ms", "a.Lock a.unlock b.Lock b.unlock"},
		{"LockIsReleased", "100ms", strings.Repeat("a.Lock a.unlock b.Lock b.unlock ", 5) + "a.Lock a.unlock b.Lock b.unlock"},
		{"LockEndsWithContext", "500ms", "a.Lock a.unlock b.Lock b.unlock a.Lock a.unlock a.Lock a.unlock"},
		{"LockUnderLoad", "24ms", "a locks 12 times, b 12 times"},
		{"Delete", "300ms", "a.Lock a.Delete a.unlock a.Lock a.Save A a.unlock a.Load b.Load a.Lock a.Delete a.unlock a.Load b.Load a.Lock a.Delete a.unlock b.Lock b.Save B b.unlock a.Load"},
		{"Corrupt", "0s", "a.Lock a.Save A a.unlock a.corrupt b.Load b.Lock b.Save B b.unlock a.Load"},
		{"HolderIsKilled", "100ms", "a.Lock a.Save A a.unlock a.Lock a.expire b.Lock b.Save B b.Load b.unlock b.Load b.Lock a.unlock b.unlock a.Lock a.unlock"},
		{"OneRenewal", "100ms", "3 locks, 2 saves"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				problems, took, s := runCase(t, test.name, "", Expire(expire), Corrupt(corrupt))
				if len(problems) > 0 || s.isLocked() {
					t.Errorf("%s: problems %q, locked %v", test.name, problems, s.isLocked())
				}
				got := strings.Join(s.journal, " ")
				switch test.name {
				case "SaveIsAtomic", "ConcurrentUse": // with Loads by other goroutines
					saves := slices.DeleteFunc(s.journal, func(operation string) bool { return !strings.HasPrefix(operation, "a.Save") })
					got = fmt.Sprintf("%d saves, the last %s", len(saves), saves[len(saves)-1])
				case "LockUnderLoad":
					got = fmt.Sprintf("a locks %d times, b %d times", s.count("a.Lock"), s.count("b.Lock"))
				case "OneRenewal":
					got = fmt.Sprintf("%d locks, %d saves", s.count("a.Lock")+s.count("b.Lock"), s.count("a.Save")+s.count("b.Save"))
				}
				if got != test.want || took.String() != test.took {
					t.Errorf("%s: after %v\n%s, want after %v\n%s", test.name, took, got, test.took, test.want)
				}
			})
		})
	}
}

// A slow store is no broken one.
func TestSlowStorePasses(t *testing.T) {
	for _, c := range allCases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if problems, _, _ := runCase(t, c.name, "is slow", Expire(expire), Corrupt(corrupt)); len(problems) > 0 {
					t.Errorf("the kit says %q", problems)
				}
			})
		})
	}
}

// A case leaves no lock behind that came after it had ended.
func TestLateLockIsReleased(t *testing.T) {
	for broken, name := range map[string]string{
		"Lock ignores its context":         "LockExcludes",
		"Lock ends only with a deadline":   "LockEndsWithContext",
		"Lock hangs with an ended context": "LockEndsWithContext",
	} {
		synctest.Test(t, func(t *testing.T) {
			problems, _, s := runCase(t, name, broken)
			if broken == "Lock hangs with an ended context" {
				s.stop()
			}
			s.free()
			synctest.Wait()
			if len(problems) != 1 || s.isLocked() {
				t.Errorf("%s: problems %q, locked %v", broken, problems, s.isLocked())
			}
			s.stop()
		})
	}
}

// The functions of the options belong to the store.
func TestOptionsThatFail(t *testing.T) {
	for _, test := range []struct {
		expire func(s *storage)
		want   string
		took   time.Duration
	}{
		{func(*storage) { panic("boom") }, "the store panics: boom", 0},
		{func(s *storage) { <-s.end.Done() }, "the case did not end within 30s", 30 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newStorage()
			start := time.Now()
			problems, _ := run(t, testCase{"HolderIsKilled", holderIsKilled}, func(*testing.T) (a, b oauth.Store) { return s.stores("") },
				Expire(func(*testing.T, oauth.Store) { test.expire(s) }))
			if took := time.Since(start); !slices.Equal(problems, []string{test.want}) || took != test.took {
				t.Errorf("the kit says %q after %v, want %q after %v", problems, took, test.want, test.took)
			}
			s.stop()
			time.Sleep(caseTimeout) // the case ends as well
		})
	}
}

// The session of the cases has all that a session may have.
func TestSession(t *testing.T) {
	const want = `{"version":1,"access_token":"A","token_type":"session","refresh_token":"refresh A",` +
		`"expiry":"2040-01-02T03:04:05+03:00","expires_in":1800,"extra":{"okru_application":"application A","okru_chain":"chain A",` +
		`"permissions_granted":"VALUABLE_ACCESS;%s ?1 'Анна' \"\\","session_secret_key":"0123456789"}}`
	got, err := oauth.MarshalToken(session("A"))
	if err != nil || string(got) != want {
		t.Errorf("%s, %v; want\n%s", got, err, want)
	}
}

// A minimal store has no Delete.
type minimal struct{ oauth.Store }

// TestOfAStore is the test that TestRun runs.
func TestOfAStore(t *testing.T) {
	if os.Getenv("OKRU_STORE") == "" {
		t.Skip("only for TestRun")
	}
	Run(t, func(*testing.T) (a, b oauth.Store) {
		a, b = newStorage().stores(os.Getenv("OKRU_STORE"))
		return minimal{a}, minimal{b}
	})
}

// What the author of a store reads.
func TestRun(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.v", "-test.run=^TestOfAStore$")
	cmd.Env = append(os.Environ(), "OKRU_STORE=empty is an error")
	out, err := cmd.Output()
	if err == nil {
		t.Error("the test of a broken store passes")
	}
	const want = `Load: not found
Load: not found
the store has no method Delete
there is no option Corrupt
there is no option Expire
--- FAIL: TestOfAStore
    --- FAIL: TestOfAStore/EmptyStore
    --- PASS: TestOfAStore/KeepsEverything
    --- PASS: TestOfAStore/SaveReplaces
    --- PASS: TestOfAStore/KeepsCopies
    --- PASS: TestOfAStore/SaveIsAtomic
    --- PASS: TestOfAStore/ConcurrentUse
    --- PASS: TestOfAStore/EndedContext
    --- PASS: TestOfAStore/LockExcludes
    --- PASS: TestOfAStore/LockIsReleased
    --- PASS: TestOfAStore/LockEndsWithContext
    --- PASS: TestOfAStore/LockUnderLoad
    --- SKIP: TestOfAStore/Delete
    --- SKIP: TestOfAStore/Corrupt
    --- SKIP: TestOfAStore/HolderIsKilled
    --- PASS: TestOfAStore/OneRenewal
FAIL
`
	got := regexp.MustCompile(` *storetest.go:\d+: | \(\d+\.\d+s\)|(=== |coverage: ).*\n`).ReplaceAllString(string(out), "")
	if got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}
