package e2e_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A site is a running examples/weblogin, and the user who can sign in there.
type site struct{ url, login, password string }

// startSite builds and starts the example, as a user would. It ends with the
// test, by the signal that Ctrl-C sends.
func startSite(t *testing.T) site {
	t.Helper()
	program := filepath.Join(t.TempDir(), "weblogin")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./examples/weblogin")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.Command(program, "-listen", "localhost:0")
	cmd.Env = append(os.Environ(), "OKRU_APPLICATION_ID=", "OKRU_EXAMPLE_ONCE=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
			t.Errorf("weblogin ends with %v and says:\n%s", err, &stderr)
		}
	})
	s := site{}
	lines := bufio.NewScanner(stdout)
	for s.password == "" && lines.Scan() {
		s.read(lines.Text())
	}
	if s.url == "" || s.login == "" || s.password == "" {
		t.Fatalf("weblogin does not say where it is and who can sign in: %v\n%s", lines.Err(), &stderr)
	}
	return s
}

var printed = regexp.MustCompile(`^(the site|login|password): +(.*)$`)

func (s *site) read(line string) {
	match := printed.FindStringSubmatch(strings.TrimSpace(line))
	if match == nil {
		return
	}
	switch match[1] {
	case "the site":
		s.url = match[2]
	case "login":
		s.login = match[2]
	case "password":
		s.password = match[2]
	}
}
