package main

import (
	"testing"
	"time"
)

func TestSeal(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := seal("a key")
	good := s.close("state", "TEXT", now.Add(time.Minute))
	for _, tt := range []struct {
		name, cookie, sealed string
		after                time.Duration
		ok                   bool
	}{
		{"good", "state", good, 0, true},
		{"just good", "state", good, time.Minute - 1, true},
		{"too old", "state", good, time.Minute, false},
		{"of another cookie", "visitor", good, 0, false},
		{"of another key", "state", seal("other").close("state", "TEXT", now.Add(time.Minute)), 0, false},
		{"other text", "state", "U" + good[1:], 0, false},
		{"other time", "state", "TEXT.9" + good[len("TEXT."):], 0, false},
		{"other MAC", "state", good[:len(good)-2] + "xx", 0, false},
		{"without MAC", "state", "TEXT.1800000000", 0, false},
		{"without a dot", "state", "TEXT", 0, false},
		{"empty", "state", "", 0, false},
	} {
		text, ok := s.open(tt.cookie, tt.sealed, now.Add(tt.after))
		if ok != tt.ok || ok && text != "TEXT" {
			t.Errorf("%s: %q is open: %t, %q", tt.name, tt.sealed, ok, text)
		}
	}
}
