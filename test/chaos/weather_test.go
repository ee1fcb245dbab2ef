package chaos

import "testing"

// A kind that never happened ends only when it has.
func TestKindEndsWhenItHasHappened(t *testing.T) {
	var w weather
	w.set(code8, 1) // in a thousand
	w.end(code8)
	if !w.strikes(code8) {
		t.Error("the kind ended without having happened")
	}
	if w.strikes(code8) {
		t.Error("the kind goes on although it has happened")
	}
	w.set(code8, certain)
	w.end(code8)
	if w.strikes(code8) {
		t.Error("the kind goes on although it had happened before")
	}
	w.end(code9)
	w.calm()
	if w.strikes(code9) {
		t.Error("the kind goes on in calm weather")
	}
}
