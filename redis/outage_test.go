package okredis_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/go-okru/okru/ratelimit"
	okredis "github.com/go-okru/okru/redis"
)

// load makes calls through b from n goroutines until stop is called, which
// returns when they passed.
func load(t testing.TB, n int, limiters ...ratelimit.Limiter) (stop func() []time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	start := time.Now()
	var mu sync.Mutex
	var times []time.Duration
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			for {
				err := limiters[i%len(limiters)].Wait(ctx)
				if ctx.Err() != nil {
					return
				}
				if err != nil {
					t.Errorf("a call failed: %v", err)
					return
				}
				mu.Lock()
				times = append(times, time.Since(start))
				mu.Unlock()
			}
		})
	}
	return func() []time.Duration {
		cancel()
		wg.Wait()
		return times
	}
}

// between returns how many of times are in [from, to).
func between(times []time.Duration, from, to time.Duration) (n int) {
	for _, at := range times {
		if from <= at && at < to {
			n++
		}
	}
	return n
}

// No call fails while Redis is gone, and each process stays within its share.
func TestBucketOutage(t *testing.T) {
	for _, how := range []string{"killed", "frozen"} {
		t.Run(how, func(t *testing.T) {
			noGoroutines(t)
			s := startRedis(t)
			var outages, errs atomic.Int32
			var limiters []ratelimit.Limiter
			for range 2 {
				b := okredis.NewBucket(s.client(), "outage", 200, 1)
				b.OnError = func(err error) {
					outages.Add(1)
					if err == nil {
						errs.Add(1)
					}
				}
				limiters = append(limiters, b)
			}
			stalls.longest()
			start := time.Now()
			stop := load(t, 40, limiters...)
			time.Sleep(1500 * time.Millisecond)
			if how == "killed" {
				s.kill()
			} else {
				s.cmd.Process.Signal(syscall.SIGSTOP)
			}
			gone := time.Since(start)
			time.Sleep(2 * time.Second)
			if how == "killed" {
				s.start()
			} else {
				s.cmd.Process.Signal(syscall.SIGCONT)
			}
			back := time.Since(start)
			time.Sleep(2500 * time.Millisecond)
			times := stop()
			stalls.skipIfBusy(t)
			checkWindows(t, times, 200, 1)
			if n := between(times, gone+500*time.Millisecond, back); n < 200 || n > 310 {
				t.Errorf("%d calls in 1.5 s without Redis, want 300", n)
			}
			if n := between(times, back+1500*time.Millisecond, back+2500*time.Millisecond); n < 150 || n > 206 {
				t.Errorf("%d calls in the second that begins 1.5 s after Redis was back, want 200", n)
			}
			if n := outages.Load(); n != 2 || errs.Load() > 0 {
				t.Errorf("OnError was called %d times by two processes, want once each", n)
			}
		})
	}
}

// Without any contact with Redis, a process stays within a tenth of the rate,
// or within its Share.
func TestBucketNeverThere(t *testing.T) {
	noGoroutines(t)
	c := newClient(t, &redis.Options{Addr: "127.0.0.1:1"})
	for share, want := range map[float64]int{0: 50, 0.5: 250, 1: 500} {
		b := okredis.NewBucket(c, "never", 500, 1)
		b.Share = share
		stop := load(t, 10, b)
		time.Sleep(2 * time.Second)
		times := stop()
		if n := between(times, time.Second, 2*time.Second); n < want*2/3 || n > want+want/20+1 {
			t.Errorf("Share %v: %d calls in a second, want %d", share, n, want)
		}
	}
}

// In an outage, too, a call whose slot comes after its deadline is rejected at
// once.
func TestBucketOutageDeadline(t *testing.T) {
	c := newClient(t, &redis.Options{Addr: "127.0.0.1:1"})
	b := okredis.NewBucket(c, "deadline", 1, 1)
	down := make(chan error, 1)
	b.OnError = func(err error) { down <- err }
	ctx, cancel := context.WithCancel(t.Context())
	go b.Wait(ctx)
	<-down
	soon, cancelSoon := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancelSoon()
	within(t, 100*time.Millisecond, "the rejection", func() {
		err := b.Wait(soon)
		if !errors.Is(err, ratelimit.ErrLimited) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait: %v, want ErrLimited", err)
		}
	})
	cancel()
}

// Responses that take long by chance move no slots.
func TestBucketJitter(t *testing.T) {
	s := startRedis(t)
	var limiters []ratelimit.Limiter
	for range 4 {
		proxy := startProxy(t, s.addr)
		limiters = append(limiters, okredis.NewBucket(newClient(t, &redis.Options{Addr: proxy.addr}), "jitter", 300, 1))
		proxy.delay.Store(true)
	}
	stop := load(t, 80, limiters...)
	time.Sleep(3 * time.Second)
	times := stop()
	checkWindows(t, times, 300, 1)
	t.Logf("%d calls in 3 s at 300/s, the fullest window exceeds the rate by %.1f", len(times), windowExcess(times, 300))
	// A script reserves slots of 20 ms at most and takes 75 ms on the average.
	if len(times) < 300 {
		t.Errorf("%d calls in 3 s, want at least 300", len(times))
	}
}

// A proxy passes bytes on, and delays those of the server by 0 to 150 ms.
type proxy struct {
	addr  string
	delay atomic.Bool
}

func startProxy(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &proxy{addr: l.Addr().String()}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", target)
			if err != nil {
				in.Close()
				continue
			}
			go func() { io.Copy(out, in); out.Close() }()
			go func() { p.copySlowly(in, out); in.Close() }()
		}
	}()
	return p
}

func (p *proxy) copySlowly(to io.Writer, from io.Reader) {
	buf := make([]byte, 1<<16)
	for i := 0; ; i++ {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if p.delay.Load() {
			time.Sleep(time.Duration(i*37%16) * 10 * time.Millisecond)
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
