package main

import "testing"

func TestVerdict(t *testing.T) {
	even := []float64{100, 100, 100, 100, 100}
	for name, test := range map[string]struct {
		duel duel
		want string
	}{
		"the same":              {duel{before: even, now: even, ratios: []float64{1, 1, 1, 1, 1}}, ""},
		"slower":                {duel{before: even, now: []float64{110, 110, 110, 110, 110}, ratios: []float64{1.1, 1.1, 1.1, 1.1, 1.1}}, "slower"},
		"disturbed":             {duel{before: even, now: even, ratios: []float64{1, 1, 1, 2, 9}}, ""},
		"allocates more":        {duel{before: even, now: even, ratios: even, allocsBefore: 1, allocsNow: 2}, "allocates more"},
		"bare client is slower": {duel{name: "bare-get", before: even, now: even, ratios: even}, ""},
	} {
		if got := test.duel.verdict(1.05); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestQuantile(t *testing.T) {
	values := []float64{5, 1, 4, 2, 3}
	for percent, want := range map[int]float64{0: 1, 25: 2, 50: 3, 100: 5} {
		if got := quantile(values, percent); got != want {
			t.Errorf("quantile %d is %v, want %v", percent, got, want)
		}
	}
	if values[0] != 5 {
		t.Error("quantile has sorted its argument")
	}
}
