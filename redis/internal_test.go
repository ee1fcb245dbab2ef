package okredis

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"
)

// A clock is never ahead of the server's, and is behind it by what the fastest
// response took.
func TestClock(t *testing.T) {
	start := time.Now()
	local := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	c := clock{local: start}
	const hour = 3_600_000
	for i, step := range []struct{ server, sent, arrived, want int }{ // ms
		{500_010, 0, 20, 20},                        // the first response
		{500_110, 100, 180, 120},                    // a slow one: what is known holds
		{500_210, 200, 212, 212},                    // a faster one
		{500_310, 300, 390, 312},                    // a slow one again
		{500_410 - hour, 400, 450, 450},             // the server's clock was set back
		{500_510 - hour, 500, 590, 550},             // what is known since then holds
		{500_610 + hour, 600, 630, 630},             // it was set forward
		{500_710 + hour, 700, 790, 730},             //
		{500_810 + hour + 3_000_000, 800, 850, 850}, // forward by less than an hour
	} {
		got := c.at(int64(step.server)*1000, local(step.sent), local(step.arrived))
		if diff := got.Sub(local(step.want)); diff < -time.Millisecond || diff > time.Millisecond {
			t.Errorf("step %d: %v after the start, want %d ms", i, got.Sub(start), step.want)
		}
	}
}

// In an outage, the slots of all processes together are those of the limit, and
// no two coincide.
func TestShares(t *testing.T) {
	const n = 8
	now := time.Now()
	gap := 10 * time.Millisecond
	taken := make(map[time.Duration]int)
	for rank := range n {
		s := &server{processes: n, rank: rank, clock: clock{server: 1_800_000_000_000_123, local: now}}
		sh := s.share(0, gap)
		for at := s.next(sh, now); at.Before(now.Add(time.Second)); at = s.next(sh, at.Add(sh.period/2)) {
			taken[at.Sub(now).Round(100*time.Microsecond)/gap]++
		}
	}
	if len(taken) < 99 || len(taken) > 101 {
		t.Errorf("%d slots in a second, want 100", len(taken))
	}
	for at, processes := range taken {
		if processes != 1 {
			t.Errorf("%d processes have slot %d", processes, at)
		}
	}
}

// No rate, burst or share that is accepted leads to times that overflow.
func TestLimitExtremes(t *testing.T) {
	c := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	now := time.Now()
	for _, perSecond := range []rate.Limit{2e-6, 1e-3, 1, 1e6, 1e9, 1e12, 1e300} {
		for _, part := range []float64{0, 1e-300, 1e-9, 1} {
			b := NewBucket(c, "key", perSecond, 1)
			b.Share = part
			if err := b.check(ctx); err != context.Canceled {
				t.Errorf("%v/s: %v", perSecond, err)
			}
			slot, period := b.localSlot(now, now)
			if slot.Before(now) || slot.Sub(now) > math.MaxInt64/2 || period <= 0 || b.chunk < 1 || b.offset(1) < 1 {
				t.Errorf("%v/s, Share %v: first slot in %v, period %v", perSecond, part, slot.Sub(now), period)
			}
		}
	}
}

// What is sealed can be opened, under its key only, and nothing else can.
func FuzzBox(f *testing.F) {
	f.Add([]byte("{}"), 0)
	f.Add([]byte(""), 5)
	f.Add([]byte(magic), 20)
	f.Add([]byte(magic+strings.Repeat("x", 40)), 30)
	secret := bytes.Repeat([]byte{7}, 32)
	f.Fuzz(func(t *testing.T, data []byte, position int) {
		open := func(key string, o StoreOptions, value []byte) ([]byte, error) {
			b, err := newBox(key, o)
			if err != nil {
				t.Fatal(err)
			}
			return b.open(value)
		}
		o := StoreOptions{Encrypt: secret}
		b, _ := newBox("anna", o)
		sealed := b.seal(data)
		if got, err := open("anna", o, sealed); err != nil || !bytes.Equal(got, data) {
			t.Errorf("open: %q, %v", got, err)
		}
		if _, err := open("boris", o, sealed); err == nil {
			t.Error("opened under another key")
		}
		if _, err := open("anna", StoreOptions{}, sealed); err == nil {
			t.Error("opened without the secret")
		}
		if _, err := open("anna", o, data); err == nil {
			t.Error("opened what was not sealed")
		}
		if position >= 0 {
			sealed[position%len(sealed)] ^= 1
			if _, err := open("anna", o, sealed); err == nil {
				t.Error("opened what was changed")
			}
		}
	})
}
