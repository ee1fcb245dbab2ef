package growth_test

import (
	"testing"

	"github.com/go-okru/okru/test/bench/internal/growth"
	"github.com/go-okru/okru/test/bench/internal/subject"
)

func TestGoroutines(t *testing.T) {
	crowds, err := growth.Goroutines([]int{1, 100}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range []int{1, 100} {
		if c := crowds[i]; c.Goroutines != n || c.Bare <= 0 || c.Stack <= 0 || c.Limited <= 0 || c.Ratio <= 0 || c.CallsPerSecond() <= 0 {
			t.Errorf("%+v; want figures for %d goroutines", c, n)
		}
	}
}

// A set without a bound grows by at least what a limiter needs, and the
// default one keeps to its bound.
func TestKeyCounts(t *testing.T) {
	keys, err := growth.KeyCounts([]int{1000, 40_000})
	if err != nil {
		t.Fatal(err)
	}
	few, many := keys[0], keys[1]
	const limiter = 64 // bytes of a limiter of x/time/rate, about
	for name, grown := range map[string]uint64{"Keyed": many.Keyed - few.Keyed, "map": many.Map - few.Map} {
		if grown < 39_000*limiter || grown > 39_000*100*limiter {
			t.Errorf("39,000 more keys take %d bytes in a %s", grown, name)
		}
	}
	if many.Bounded*2 > many.Keyed {
		t.Errorf("room for 10,000 keys takes %d bytes, for 40,000 %d; want less than a half", many.Bounded, many.Keyed)
	}
}

// Pools lose some of what they keep under the race detector; a megabyte more
// of a response would not be overlooked.
func TestAnswers(t *testing.T) {
	answers, err := growth.Answers([]int64{64, 4 << 20}, []string{subject.Stack, subject.RestyV3})
	if err != nil {
		t.Fatal(err)
	}
	small, big := answers[0].Costs, answers[1].Costs
	if grown := big[0].Bytes - small[0].Bytes; grown > 1<<20 {
		t.Errorf("the stack allocates %d bytes more for an answer of 4 MiB; want none", grown)
	}
	if grown := big[1].Bytes - small[1].Bytes; grown < 4<<20 {
		t.Errorf("resty allocates %d bytes more for an answer of 4 MiB, which it holds in memory", grown)
	}
}

func TestAnswersOfNobody(t *testing.T) {
	if _, err := growth.Answers([]int64{64}, []string{"nobody"}); err == nil {
		t.Error("no error for a subject that is not there")
	}
}
