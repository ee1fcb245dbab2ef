package oauth_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/go-okru/okru/oauth"
)

// Root may read and write every file, which hides these faults: the gate runs
// this test as another user.
func TestFileStoreWithoutPermission(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes of files")
	}
	if os.Geteuid() == 0 {
		t.Skip("root has every permission; .ci/run runs this test as another user")
	}
	for name, test := range map[string]struct {
		dir, file        fs.FileMode
		load, save, lock bool // whether it is allowed
	}{
		"all allowed":                  {0o700, 0o600, true, true, true},
		"directory not to be written":  {0o500, 0o600, true, false, false},
		"directory not to be searched": {0o600, 0o600, false, false, false},
		"file not to be read":          {0o700, 0o000, false, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "okru")
			path := filepath.Join(dir, "session")
			s := oauth.FileStore(path)
			if err := errors.Join(s.Save(t.Context(), token("A", "", 0)), os.Chmod(path, test.file), os.Chmod(dir, test.dir)); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })

			loaded, err := s.Load(t.Context())
			checkPermission(t, "Load", err, test.load)
			if err != nil && (loaded != nil || errors.Is(err, oauth.ErrCorrupt)) {
				t.Errorf("Load returns %v, %v: a Source would overwrite the session", loaded, err)
			}
			unlock, err := s.Lock(t.Context())
			checkPermission(t, "Lock", err, test.lock)
			if err == nil {
				unlock()
			}
			checkPermission(t, "Save", s.Save(t.Context(), token("B", "", 0)), test.save)
		})
	}
}

func checkPermission(t *testing.T, what string, err error, allowed bool) {
	t.Helper()
	if (err == nil) != allowed || err != nil && !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%s: error is %v, and it is allowed: %t", what, err, allowed)
	}
}
