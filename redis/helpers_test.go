package okredis_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// TestMain runs the tests, or one of the processes that tests start.
func TestMain(m *testing.M) {
	if run := roles[os.Getenv(envRole)]; run != nil {
		redis.SetLogger(silent{})
		os.Exit(run())
	}
	redis.SetLogger(silent{})
	go stalls.watch()
	os.Exit(m.Run())
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// need skips the test if a program is not installed. If OKRU_REQUIRE is 1, it
// fails the test instead.
func need(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("OKRU_REQUIRE") == "1" {
		t.Fatalf("%s is not installed (Debian package redis-server), and OKRU_REQUIRE is 1", program)
	}
	t.Skipf("%s is not installed (Debian package redis-server)", program)
}

// long skips a test that takes long, unless OKRU_LONG is 1.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("OKRU_LONG") != "1" {
		t.Skip("takes long; set OKRU_LONG=1")
	}
}

// A redisServer is a redis-server process on a free port, which ends with the
// test. It can be killed and started again.
type redisServer struct {
	t    testing.TB
	addr string
	dir  string
	args []string
	cmd  *exec.Cmd
}

// startRedis starts a redis-server that stores nothing on disk.
func startRedis(t testing.TB, args ...string) *redisServer {
	t.Helper()
	need(t, "redis-server")
	s := &redisServer{t: t, addr: freeAddr(t), dir: t.TempDir(), args: args}
	s.start()
	t.Cleanup(s.kill)
	return s
}

func freeAddr(t testing.TB) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := l.Addr().(*net.TCPAddr)
		l.Close()
		if addr.Port < 55_000 { // a node of a cluster needs the port + 10,000 too
			return addr.String()
		}
	}
	t.Fatal("no free port below 55000")
	return ""
}

func (s *redisServer) port() string {
	_, port, _ := net.SplitHostPort(s.addr)
	return port
}

func (s *redisServer) start() {
	s.t.Helper()
	args := []string{"--port", s.port(), "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--appendonly", "no"}
	s.run("redis-server", append(args, s.args...)...)
}

func (s *redisServer) run(program string, args ...string) {
	s.t.Helper()
	log := new(bytes.Buffer)
	s.cmd = exec.Command(program, args...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for range 200 {
		if c, err := net.Dial("tcp", s.addr); err == nil {
			c.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	s.t.Fatalf("%s does not listen on %s: %s", program, s.addr, log)
}

func (s *redisServer) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// client returns a client with the options that a program has by default.
func (s *redisServer) client() *redis.Client {
	return newClient(s.t, &redis.Options{Addr: s.addr})
}

func newClient(t testing.TB, o *redis.Options) *redis.Client {
	c := redis.NewClient(o)
	t.Cleanup(func() { c.Close() })
	return c
}

// startCluster starts a cluster of three nodes and returns their addresses.
func startCluster(t testing.TB) []string {
	t.Helper()
	need(t, "redis-cli")
	var addrs []string
	for range 3 {
		s := startRedis(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
		addrs = append(addrs, s.addr)
	}
	create := exec.Command("redis-cli", append([]string{"--cluster", "create", "--cluster-yes"}, addrs...)...)
	if out, err := create.CombinedOutput(); err != nil {
		t.Fatalf("redis-cli --cluster create: %v: %s", err, out)
	}
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
	defer c.Close()
	eventually(t, 20*time.Second, "the cluster is complete", func() bool {
		info, err := c.ClusterInfo(t.Context()).Result()
		return err == nil && strings.Contains(info, "cluster_state:ok")
	})
	return addrs
}

// startSentinel starts a master, a replica and a Sentinel that watches them.
func startSentinel(t testing.TB) (master, replica *redisServer, sentinel string) {
	t.Helper()
	need(t, "redis-sentinel")
	master = startRedis(t)
	replica = startRedis(t, "--replicaof", "127.0.0.1", master.port())
	s := &redisServer{t: t, addr: freeAddr(t), dir: t.TempDir()}
	config := filepath.Join(s.dir, "sentinel.conf")
	text := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nsentinel monitor main 127.0.0.1 %s 1\n"+
		"sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n", s.port(), s.dir, master.port())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run("redis-sentinel", config)
	t.Cleanup(s.kill)
	c := redis.NewSentinelClient(&redis.Options{Addr: s.addr})
	defer c.Close()
	eventually(t, 20*time.Second, "the Sentinel knows the replica", func() bool {
		replicas, err := c.Replicas(t.Context(), "main").Result()
		return err == nil && len(replicas) == 1 && strings.Contains(replicas[0]["flags"], "slave") &&
			replicas[0]["master-link-status"] == "ok"
	})
	return master, replica, s.addr
}

func eventually(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for start := time.Now(); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Since(start) > limit {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// noGoroutines fails the test if goroutines of this package are left, or begin
// to be, when the test is over.
func noGoroutines(t testing.TB) {
	t.Helper()
	t.Cleanup(func() {
		var stacks string
		for range 100 {
			buf := make([]byte, 1<<20)
			stacks = string(buf[:runtime.Stack(buf, true)])
			if !strings.Contains(stacks, "okredis.(*Bucket)") && !strings.Contains(stacks, "okredis.keep") {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Errorf("a goroutine is left:\n%s", stacks)
	})
}

// A process is this test binary in a role.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	out    *lines
	exited chan error
}

const envRole = "OKRU_TEST_ROLE"

// roles are the main functions of such processes.
var roles = map[string]func() int{}

// lines collects what a process prints.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// startProcess starts this test binary in a role, with these variables
// ("NAME=value").
func startProcess(t testing.TB, role string, env ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(self), out: new(lines), exited: make(chan error, 1)}
	p.cmd.Env = append(append(os.Environ(), envRole+"="+role), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.exited <- p.cmd.Wait() }()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// wait returns what the process has printed when it has ended.
func (p *process) wait(t testing.TB, limit time.Duration) string {
	t.Helper()
	select {
	case err := <-p.exited:
		if err != nil {
			t.Errorf("process %d: %v: %s", p.cmd.Process.Pid, err, p.out)
		}
	case <-time.After(limit):
		t.Fatalf("process %d has not ended after %v: %s", p.cmd.Process.Pid, limit, p.out)
	}
	return p.out.String()
}

func atoi(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// stalls are times in which no processor was free for a goroutine. A test of
// time cannot distinguish them from faults of what it tests.
var stalls stallWatch

type stallWatch struct{ worst, sum atomic.Int64 }

func (s *stallWatch) watch() {
	for {
		start := time.Now()
		time.Sleep(time.Millisecond)
		late := int64(time.Since(start) - 2*time.Millisecond)
		if late > s.worst.Load() {
			s.worst.Store(late)
		}
		if late > int64(3*time.Millisecond) {
			s.sum.Add(late)
		}
	}
}

// longest returns the longest stall since it was called last.
func (s *stallWatch) longest() time.Duration { return time.Duration(s.worst.Swap(0)) }

// skipIfBusy skips the test if a stall was so long that scripts may have timed
// out because of it. That is an outage of some processes, in which their shares
// are added to the rate.
func (s *stallWatch) skipIfBusy(t testing.TB) {
	t.Helper()
	if worst := time.Duration(s.worst.Load()); worst > 60*time.Millisecond {
		s.worst.Store(0)
		t.Skipf("goroutines of this test were not run for %v: the machine is too busy to judge times", worst)
	}
}

// total returns the time of all stalls.
func (s *stallWatch) total() time.Duration { return time.Duration(s.sum.Load()) }

// within fails the test if f takes longer than limit, and ten times the stalls
// in the meantime: each stall may cost the slots that two scripts reserved.
func within(t testing.TB, limit time.Duration, what string, f func()) {
	t.Helper()
	start, before := time.Now(), stalls.total()
	f()
	stalled := stalls.total() - before
	if took := time.Since(start); took > limit+10*stalled {
		t.Errorf("%s took %v, want at most %v (and stalls of %v)", what, took, limit, stalled)
	}
}
