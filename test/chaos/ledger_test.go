package chaos

import "testing"

func TestAudit(t *testing.T) {
	var l ledger
	for _, call := range []struct {
		write bool
		runs  int
		told  bool
	}{
		{false, 3, true}, // a read may run more than once
		{true, 1, true},
		{true, 1, false}, // it ran, and its response was lost
		{true, 0, false},
		{true, 0, true}, // lost
		{true, 3, true}, // two too many
		{true, 2, false},
	} {
		n := l.open(call.write)
		for range call.runs {
			if !l.ran(n) {
				t.Fatalf("call %d is unknown", n)
			}
		}
		if call.told {
			l.told(n)
		}
	}
	if want := (audit{ran: 4, told: 3, lost: 1, duplicated: 3}); l.audit() != want {
		t.Errorf("%+v, want %+v", l.audit(), want)
	}
	if l.ran(-1) || l.ran(7) {
		t.Error("a call that was never made ran")
	}
}
