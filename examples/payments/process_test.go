package main

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-okru/okru/oktest"
)

var app = oktest.App{Key: "CBAPAYMENTSKEY", Secret: "CANARY secret of the application"}

// TestMain makes the test binary the program itself if it is started as that.
func TestMain(m *testing.M) {
	if os.Getenv("OKRU_APPLICATION_KEY") == app.Key {
		main()
		return
	}
	os.Exit(m.Run())
}

// A process is the program in a process of its own, with an address that it
// keeps when it is started again.
type process struct {
	t          *testing.T
	addr, file string
	cmd        *exec.Cmd
	log        bytes.Buffer // what all of them wrote to stderr
}

func startProcess(t *testing.T) *process {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	p := &process{t: t, addr: l.Addr().String(), file: filepath.Join(t.TempDir(), "payments.db")}
	t.Cleanup(p.end)
	p.start()
	return p
}

// start returns when the process accepts connections.
func (p *process) start() {
	p.cmd = exec.Command(os.Args[0], "-listen", p.addr, "-db", p.file)
	p.cmd.Env = append(os.Environ(), "OKRU_APPLICATION_KEY="+app.Key, "OKRU_APPLICATION_SECRET="+app.Secret, "OKRU_EXAMPLE_ONCE=")
	p.cmd.Stderr = &p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Error(err)
		return
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if c, err := net.Dial("tcp", p.addr); err == nil {
			c.Close()
			return
		}
	}
	p.t.Error("the process does not listen")
}

// kill ends the process by SIGKILL.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// end kills the process, and shows what it wrote if the test failed.
func (p *process) end() {
	p.kill()
	if p.t.Failed() {
		p.t.Logf("the process wrote:\n%s", &p.log)
	}
	if strings.Contains(p.log.String(), "CANARY") {
		p.t.Error("the process wrote the secret of the application")
	}
}

// killAtRandom kills and restarts the process until ctx ends, and returns how
// often. The process lives at the end.
func (p *process) killAtRandom(ctx context.Context, random *rand.Rand) (kills int) {
	for {
		select {
		case <-ctx.Done():
			return kills
		case <-time.After(time.Duration(random.IntN(300)) * time.Millisecond):
		}
		p.kill()
		p.start()
		kills++
	}
}

// swords returns what the table has, by user.
func (p *process) swords() map[string]int {
	p.t.Helper()
	b, err := openBook(p.t.Context(), p.file)
	if err != nil {
		p.t.Fatal(err)
	}
	defer b.close()
	rows, err := b.db.QueryContext(p.t.Context(), `SELECT user, count FROM goods WHERE product = 'sword'`)
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Close()
	swords := make(map[string]int)
	for rows.Next() {
		var user string
		var count int
		if err := rows.Scan(&user, &count); err != nil {
			p.t.Fatal(err)
		}
		swords[user] = count
	}
	if err := rows.Err(); err != nil {
		p.t.Fatal(err)
	}
	return swords
}
