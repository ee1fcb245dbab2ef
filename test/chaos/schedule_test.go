package chaos

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestScheduleFollowsFromSeed(t *testing.T) {
	a, b, c := schedule(7, time.Minute), schedule(7, time.Minute), schedule(8, time.Minute)
	if !slices.Equal(a, b) {
		t.Error("the same seed gives another schedule")
	}
	if slices.Equal(a, c) {
		t.Error("another seed gives the same schedule")
	}
}

func TestScheduleHasAllKinds(t *testing.T) {
	for _, length := range []time.Duration{time.Second, time.Minute} {
		begun, ended := make(map[kind]int), make(map[kind]int)
		last := time.Duration(0)
		for _, c := range schedule(7, length) {
			if c.at < last || c.at > length {
				t.Errorf("%v: %v after %v", length, c, last)
			}
			last = c.at
			if c.ends {
				ended[c.kind]++
			} else {
				begun[c.kind]++
			}
		}
		for k := range kind(kinds) {
			if begun[k] == 0 || begun[k] != ended[k] {
				t.Errorf("%v: %v begins %d times and ends %d times", length, k, begun[k], ended[k])
			}
		}
	}
}

func TestPlay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		changes := []change{{at: 0, kind: code8}, {at: time.Second, kind: code9}, {at: time.Second, kind: code1}}
		var played []change
		play(t.Context(), changes, func(c change) {
			c.at = time.Since(begin)
			played = append(played, c)
		})
		if !slices.Equal(played, changes) {
			t.Errorf("played %v, want %v", played, changes)
		}
	})
}
