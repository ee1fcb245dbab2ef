package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

func TestFileStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "dirs", "session.json")
	s := oauth.FileStore(path)
	if got, err := s.Load(t.Context()); got != nil || err != nil {
		t.Fatalf("before the first Save: %v, %v; want nil, nil", got, err)
	}
	for i := range 3 {
		access := fmt.Sprintf("T%d", i)
		if err := s.Save(t.Context(), withSecret(token(access, "R", time.Hour), "S")); err != nil {
			t.Fatal(err)
		}
		got, err := oauth.FileStore(path).Load(t.Context())
		if err != nil || got.AccessToken != access || oauth.SessionSecret(got) != "S" {
			t.Fatalf("Load: %v, %v; want %s", got, err, access)
		}
	}
	wantOnly(t, filepath.Dir(path), "session.json")
}

func TestFileStoreIsTheOwnersOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	dir := filepath.Join(t.TempDir(), "new")
	path := filepath.Join(dir, "session.json")
	s := oauth.FileStore(path)
	unlock, err := s.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o666); err != nil { // as some other program might
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), token("T", "", 0)); err != nil {
		t.Fatal(err)
	}
	unlock()
	for name, want := range map[string]fs.FileMode{dir: 0o700 | fs.ModeDir, path: 0o600, path + ".lock": 0o600} {
		info, err := os.Stat(name)
		if err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v (%v), want %v", name, info.Mode(), err, want)
		}
	}
}

func TestFileStoreTornContent(t *testing.T) {
	for _, content := range append(tornContents, strings.Repeat(" ", 1<<20)+`{"version":1,"access_token":"A"}`) {
		path := filepath.Join(t.TempDir(), "session.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		s := oauth.FileStore(path)
		_, err := s.Load(t.Context())
		if !errors.Is(err, oauth.ErrCorrupt) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%.50q: error is %v, want ErrCorrupt", content, err)
		}
		want(t, oauth.NewSource(numbered(0), oauth.Options{Store: s}), "T1")
		if got, err := s.Load(t.Context()); err != nil || got.AccessToken != "T1" {
			t.Errorf("%.50q: afterwards the file has %v, %v", content, got, err)
		}
	}
}

func TestFileStoreFailures(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for name, path := range map[string]string{"a directory": dir, "below a file": filepath.Join(file, "session.json")} {
		s := oauth.FileStore(path)
		if _, err := s.Load(ctx); err == nil || errors.Is(err, oauth.ErrCorrupt) {
			t.Errorf("%s: Load: %v", name, err)
		}
		if err := s.Save(ctx, token("CANARY", "", 0)); err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: Save: %v", name, err)
		}
	}
	if _, err := oauth.FileStore(filepath.Join(file, "session.json")).Lock(ctx); err == nil {
		t.Error("below a file: Lock succeeds")
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	s := oauth.FileStore(filepath.Join(dir, "session.json"))
	if err := s.Save(ended, token("T", "", 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("Save after the end: %v", err)
	}
	if _, err := s.Load(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Load after the end: %v", err)
	}
	if _, err := s.Lock(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Lock after the end: %v", err)
	}
	if err := s.Save(ctx, new(oauth2.Token)); err == nil {
		t.Error("Save of a token without an access token succeeds")
	}
	if err := oauth.FileStore(filepath.Join(dir, strings.Repeat("x", 250))).Save(ctx, token("T", "", 0)); err == nil {
		t.Error("Save with a name that is too long succeeds")
	}
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := oauth.FileStore(sub).Save(ctx, token("T", "", 0)); err == nil {
		t.Error("Save over a directory succeeds")
	}
	wantOnly(t, dir, "file", "sub")
}

// A file may have 1 MiB, and no byte more.
func TestFileStoreLongFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session.json")
	content := `{"version":1,"access_token":"A"}`
	content += strings.Repeat(" ", 1<<20-len(content))
	for _, test := range []struct{ content, want string }{{content, ""}, {content + " ", "okru: stored session: it is too long"}} {
		if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := oauth.FileStore(path).Load(t.Context())
		if (err == nil) != (test.want == "") || err != nil && err.Error() != test.want {
			t.Errorf("%d bytes: the error is %v, want %q", len(test.content), err, test.want)
		}
	}
}

// No method leaves a file open.
func TestFileStoreKeepsNoFileOpen(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("this system does not list the open files: ", err)
		}
		return len(entries)
	}
	s := oauth.FileStore(filepath.Join(t.TempDir(), "session.json"))
	before := open()
	for range 100 {
		unlock, err := s.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Save(t.Context(), token("T", "", 0)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.(oauth.Deleter).Delete(t.Context()); err != nil {
			t.Fatal(err)
		}
		unlock()
	}
	if n := open() - before; n > 50 { // other tests open some
		t.Errorf("%d files are left open", n)
	}
}

func TestFileStoreLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session.json")
	unlock, err := oauth.FileStore(path).Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := oauth.FileStore(path).Lock(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("second Lock: %v, want the deadline", err)
	}
	unlock()
	var inside, entered atomic.Int32
	var users sync.WaitGroup
	for range 8 {
		users.Go(func() {
			unlock, err := oauth.FileStore(path).Lock(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer unlock()
			if inside.Add(1) != 1 {
				t.Error("two have the lock")
			}
			entered.Add(1)
			inside.Add(-1)
		})
	}
	users.Wait()
	if n := entered.Load(); n != 8 {
		t.Errorf("%d of 8 had the lock", n)
	}
}

// A reader sees one session or the other, never a mixture or nothing.
func TestFileStoreReplacesAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session.json")
	s := oauth.FileStore(path)
	if err := s.Save(t.Context(), token("T", "", 0)); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 50 {
			long := token("T", strings.Repeat("R", i*1000), 0)
			if err := s.Save(t.Context(), long); err != nil {
				t.Error(err)
			}
		}
	}()
	for {
		if got, err := s.Load(t.Context()); err != nil || got == nil {
			t.Fatalf("Load during Save: %v, %v", got, err)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

func wantOnly(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(names) {
		t.Errorf("%s holds %v, want %v", dir, got, names)
	}
}
