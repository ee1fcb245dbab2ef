package chaos

import "sync"

// A ledger is what is known of every call, by its number: how often it ran on
// the server, and whether the client got a response. It is safe for concurrent
// use, and a byte per call, so that it does not look like a leak.
type ledger struct {
	mu    sync.Mutex
	calls []entry // by number
}

// An entry is how often a call ran, and these bits.
type entry uint8

const (
	isWrite entry = 1 << 7
	wasTold entry = 1 << 6
	maxRuns entry = wasTold - 1
)

func (e entry) runs() int { return int(e & maxRuns) }

// open returns the number of a new call.
func (l *ledger) open(write bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	var e entry
	if write {
		e = isWrite
	}
	l.calls = append(l.calls, e)
	return len(l.calls) - 1
}

// ran notes that a call ran. It returns false if there is no such call.
func (l *ledger) ran(number int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if number < 0 || number >= len(l.calls) {
		return false
	}
	if e := &l.calls[number]; *e&maxRuns < maxRuns {
		*e++
	}
	return true
}

// told records that the client got the response.
func (l *ledger) told(number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[number] |= wasTold
}

// An audit is the result of a ledger.
type audit struct {
	ran        int // writes that ran, whatever the client got
	told       int // writes whose response the client got
	lost       int // of these, the ones that never ran
	duplicated int // runs beyond the first of a write
}

func (l *ledger) audit() (a audit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.calls {
		if e&isWrite == 0 {
			continue
		}
		if e.runs() > 0 {
			a.ran++
			a.duplicated += e.runs() - 1
		}
		if e&wasTold != 0 {
			a.told++
			if e.runs() == 0 {
				a.lost++
			}
		}
	}
	return a
}
