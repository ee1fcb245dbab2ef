package okredis_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	okredis "github.com/go-okru/okru/redis"
)

// reserve runs the script for a limit of 1000/s and a burst of 50: it reserves n
// slots and reports lost ones, the first of which was due at first. It returns
// when the next slot would be due without the n, by the clock of Redis in µs.
func reserve(t *testing.T, c *redis.Client, key string, n, lost int, first int64) int64 {
	t.Helper()
	reply, err := okredis.ReserveScript.Run(t.Context(), c, []string{key}, n, 1000, 49_000, -1, 0, 0, 0, lost, first).Int64Slice()
	if err != nil {
		t.Fatal(err)
	}
	if reply[2] != int64(n) {
		t.Fatalf("%d slots, want %d", reply[2], n)
	}
	return reply[0] + reply[1]
}

// Lost slots are replaced as long as those that are being replaced are fewer
// than half of the burst.
func TestLostSlotsAreReplaced(t *testing.T) {
	c := startRedis(t).client()
	const key = "lost"
	next := reserve(t, c, key, 400, 0, 0) + 400_000
	idle := next - 351_000     // when the limit was not used up
	replaced := next + 280_000 // when all slots are that are lost below
	for _, step := range []struct {
		name        string
		n, lost     int
		first       int64
		replacement int64
	}{
		{"none lost", 100, 0, 0, 0},
		{"lost before the limit was used up", 100, 20, idle, 0},
		{"lost", 100, 20, idle + 1, 20},
		{"more than half of the burst in all", 100, 100, idle + 2, 4},
		{"more", 100, 10, idle + 3, 0},
		{"not due yet", 400, 10, replaced + 1000, 0},
		{"after all have been replaced", 200, 10, replaced + 1000, 10},
		{"more than are reserved", 3, 40, replaced + 1001, 3},
	} {
		if step.name == "after all have been replaced" {
			time.Sleep(time.Duration(replaced+2000-now()) * time.Microsecond)
		}
		got := reserve(t, c, key, step.n, step.lost, step.first)
		if want := next - 1000*step.replacement; got != want {
			t.Errorf("%s: %d slots are replaced, want %d", step.name, (next-got)/1000, step.replacement)
		}
		next = got + int64(1000*step.n)
	}

	first := reserve(t, c, "idle", 60, 0, 0) + 59_000
	time.Sleep(20 * time.Millisecond)
	if got := reserve(t, c, "idle", 60, 10, first); got < first+1000 {
		t.Error("a slot is replaced although the limit was not used up since")
	}

	// What is replaced does not make the limit one that is not used up.
	next = reserve(t, c, "short", 65, 0, 0) + 65_000
	before := now()
	if got := reserve(t, c, "short", 100, 100, next-16_000+1); got < min(before, next) {
		t.Errorf("the next slot is due %d µs ago", before-got)
	}
}

// A stalling process reserves slots by the script, and loses some of them.
type stalling struct {
	last int64   // when its last slot is due, in µs of the clock of Redis
	lost []int64 // when lost slots were due that it has not reported
	lead int64   // how far away its Redis is, in µs
}

const (
	lostRate  = 5000.0 // per second
	lostBurst = 100
)

// reserve reserves n slots, reports those lost that are over, and returns the
// new slots.
func (p *stalling) reserve(t *testing.T, c *redis.Client, n int) []int64 {
	t.Helper()
	const interval = 1e6 / lostRate
	count, first := 0, int64(0)
	if len(p.lost) > 0 && p.lost[len(p.lost)-1] < now() {
		count, first = len(p.lost), p.lost[0]
		p.lost = nil
	}
	reply, err := okredis.ReserveScript.Run(t.Context(), c, []string{"lost"}, n, interval, int((lostBurst-1)*interval), -1, 0, 0, p.lead, count, first).Int64Slice()
	if err != nil {
		t.Fatal(err)
	}
	slots := make([]int64, reply[2])
	for i := range slots {
		slots[i] = reply[0] + max(p.lead, reply[1]+int64(float64(i)*interval))
		p.last = slots[i]
	}
	return slots
}

// now is the time of Redis, which runs on this machine.
func now() int64 { return time.Now().UnixMicro() }

// lose drops a part of the slots of p, as a process does that waits for a
// processor, and returns the others.
func (p *stalling) lose(slots []int64, random *rand.Rand) []int64 {
	if random.IntN(4) > 0 {
		return slots
	}
	from, to := random.IntN(len(slots)+1), random.IntN(len(slots)+1)
	if from > to {
		from, to = to, from
	}
	p.lost = append(p.lost, slots[from:to]...)
	return slices.Concat(slots[:from], slots[to:])
}

// Slots that replace lost ones do not exceed the bound in any window, by whichever
// process and whenever slots are lost. The limit pauses at times, so that it has a
// burst again. Times are those of Redis: no call is late.
func TestLostSlots(t *testing.T) {
	c := startRedis(t).client()
	random := rand.New(rand.NewPCG(1, 2))
	processes := make([]stalling, 8)
	processes[0].lead, processes[1].lead = 30_000, 50_000
	var used []time.Duration
	begin := now()
	for pause := begin + 700_000; now() < begin+2_000_000; {
		if now() > pause {
			time.Sleep(300 * time.Millisecond)
			pause += 1_000_000
		}
		p := &processes[random.IntN(len(processes))]
		if p.last > now()+20_000 {
			time.Sleep(100 * time.Microsecond)
			continue
		}
		for _, at := range p.lose(p.reserve(t, c, 1+random.IntN(100)), random) {
			used = append(used, time.Duration(at-begin)*time.Microsecond)
		}
	}
	slices.Sort(used)
	excess := windowExcess(used, lostRate)
	share := float64(len(used)) / (used[len(used)-1].Seconds() * lostRate)
	t.Logf("%.1f %% of the limit used, fullest window %+.2f calls over rate·t", 100*share, excess)
	if excess > lostBurst+0.1 {
		t.Errorf("the fullest window has %.2f calls over rate·t, want %d at most", excess, lostBurst)
	}
}
