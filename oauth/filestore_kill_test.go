package oauth_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
)

// envSaves makes the test binary a process that saves to this file until it is
// killed.
const envSaves = "OKRU_TEST_SAVES"

// Sessions of a saver are numbered, and of very different length.
func savedSession(n int) *oauth2.Token {
	return &oauth2.Token{AccessToken: strconv.Itoa(n), RefreshToken: strings.Repeat("R", n%7*2000)}
}

// saveForever saves one session after the other, and prints the number of each
// when Save has returned.
func saveForever(path string) int {
	s := oauth.FileStore(path)
	for n := 1; ; n++ {
		unlock, err := s.Lock(context.Background())
		if err == nil {
			err = s.Save(context.Background(), savedSession(n))
		}
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println(n)
		unlock()
	}
}

// killSaver runs a saver, kills it (kill -9) after its first sessions and a
// while, and returns the number of the last session that it has saved for sure.
func killSaver(t *testing.T, path string, while time.Duration) (last int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	saver := exec.CommandContext(t.Context(), self)
	saver.Env = append(os.Environ(), envSaves+"="+path)
	out, err := saver.StdoutPipe()
	if err == nil {
		err = saver.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("the saver says %q", lines.Text())
		}
		if last = n; n == 3 {
			time.AfterFunc(while, func() { _ = saver.Process.Kill() })
		}
	}
	_ = saver.Wait() // it was killed
	return last
}

// A process that is killed at any moment leaves the session that it saved last,
// or the one that it was saving, and neither a lock nor, after the next save, a
// file.
func TestFileStoreOutlivesAKilledProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session.json")
	for round := range 8 {
		last := killSaver(t, path, time.Duration(round)*time.Millisecond)
		s := oauth.FileStore(path)
		got, err := s.Load(t.Context())
		if err != nil || got == nil {
			t.Fatalf("after %d saves: %v, %v", last, got != nil, err)
		}
		n, _ := strconv.Atoi(got.AccessToken)
		if n != last && n != last+1 || got.RefreshToken != savedSession(n).RefreshToken {
			t.Errorf("after %d saves the file has session %q, with a refresh token of %d bytes", last, got.AccessToken, len(got.RefreshToken))
		}
		saveAfterKill(t, s)
		wantOnly(t, filepath.Dir(path), "session.json", "session.json.lock")
	}
}

// saveAfterKill locks s and saves, as the next process does.
func saveAfterKill(t *testing.T, s oauth.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	unlock, err := s.Lock(ctx)
	if err != nil {
		t.Fatalf("the killed process still holds the lock: %v", err)
	}
	defer unlock()
	if err := s.Save(ctx, savedSession(0)); err != nil {
		t.Error(err)
	}
	if got, err := s.Load(ctx); err != nil || got.AccessToken != "0" {
		t.Errorf("the next session is %v, %v", got != nil, err)
	}
}

// A file that is mounted is written in place. It keeps its identity, and if the
// process is killed, it is a whole session or ErrCorrupt, never empty.
func TestFileStoreOnARealMountPoint(t *testing.T) {
	dir := t.TempDir()
	source, path := filepath.Join(dir, "source.json"), filepath.Join(dir, "mounted", "session.json")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{source, path} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bindMount(t, source, path)
	s := oauth.FileStore(path)
	for round := range 8 {
		last := killSaver(t, path, time.Duration(round)*time.Millisecond)
		switch got, err := s.Load(t.Context()); {
		case errors.Is(err, oauth.ErrCorrupt): // killed during a write
		case err != nil || got == nil:
			t.Errorf("after %d saves: %v, %v", last, got != nil, err)
		case got.AccessToken != fmt.Sprint(last) && got.AccessToken != fmt.Sprint(last+1):
			t.Errorf("after %d saves the file has session %q", last, got.AccessToken)
		}
		if info, err := os.Stat(source); err != nil || info.Size() == 0 {
			t.Errorf("after %d saves the file that is mounted is empty (%v)", last, err)
		}
		saveAfterKill(t, s)
		if got, err := oauth.FileStore(source).Load(t.Context()); err != nil || got.AccessToken != "0" {
			t.Errorf("the file that is mounted has %v, %v", got != nil, err)
		}
		wantOnly(t, filepath.Dir(path), "session.json", "session.json.lock")
	}
}
