package oauth_test

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/go-okru/okru/oauth"
)

// envFull makes the test below the process whose files are bounded.
const envFull = "OKRU_TEST_FULL"

// A session for which there is no room on the disk is an error, and the one
// before stays.
func TestFileStoreOnAFullDisk(t *testing.T) {
	if os.Getenv(envFull) == "" {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		bounded := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$")
		bounded.Env = append(os.Environ(), envFull+"=1")
		if out, err := bounded.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ) // so that a write that exceeds the bound fails
	path := filepath.Join(t.TempDir(), "session.json")
	s := oauth.FileStore(path)
	if err := s.Save(t.Context(), savedSession(0)); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1000, Max: 1000}); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), savedSession(1)); !errors.Is(err, syscall.EFBIG) {
		t.Errorf("Save: %v, want %v", err, syscall.EFBIG)
	}
	if got, err := s.Load(t.Context()); err != nil || got.AccessToken != "0" {
		t.Errorf("the session is now %v, %v", got, err)
	}
	wantOnly(t, filepath.Dir(path), "session.json")
}
