package oauth_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/go-okru/okru/oauth"
)

// openFiles returns how often this process has the file at path open.
func openFiles(t *testing.T, path string) (n int) {
	t.Helper()
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if target, _ := os.Readlink(fd); target == path {
			n++
		}
	}
	return n
}

// lockFile locks the file at path, as another program does.
func lockFile(t *testing.T, path string) *flock.Flock {
	t.Helper()
	lock := flock.New(path)
	if ok, err := lock.TryLock(); !ok || err != nil {
		t.Fatalf("locking %s: %v, %v", path, ok, err)
	}
	t.Cleanup(func() { _ = lock.Unlock() })
	return lock
}

// A Lock that waited for a file which was removed meanwhile waits for the new
// file: others hold that.
func TestFileStoreLockOfARemovedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session.json")
	lockPath := path + ".lock"
	removed := lockFile(t, lockPath)
	locked := make(chan error, 1)
	go func() {
		unlock, err := oauth.FileStore(path).Lock(t.Context())
		if err == nil {
			defer unlock()
		}
		locked <- err
	}()
	for openFiles(t, lockPath) < 2 { // the Lock waits
		time.Sleep(time.Millisecond)
	}
	if err := os.Remove(lockPath); err != nil {
		t.Fatal(err)
	}
	current := lockFile(t, lockPath)
	_ = removed.Unlock()
	select {
	case err := <-locked:
		t.Fatalf("Lock returned %v while another program holds the file", err)
	case <-time.After(300 * time.Millisecond):
	}
	_ = current.Unlock()
	if err := <-locked; err != nil {
		t.Error(err)
	}
}
