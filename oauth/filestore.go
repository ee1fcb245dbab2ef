package oauth

// This file keeps a session in a file, which several processes may share. The
// difficulties are all about processes that are killed halfway.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/oauth2"
)

// FileStore returns a [Store] that keeps the session in the file path, in the
// format of [MarshalToken].
//
//   - Only the owner can read and write the file (mode 0600), and the directory
//     if Save has to create it (mode 0700). A file with another mode is an
//     error of Load, except on Windows: the session may have been read or
//     written by other users.
//   - Save writes a new file in the same directory and renames it: a reader, or
//     a crash, sees the old session or the new one. A symbolic link at path is
//     replaced. Files that a killed process left behind are removed by the next
//     Save.
//   - If path is a mount point, as a single file mounted into a container is, it
//     cannot be renamed to. Save then writes in place: after a crash during the
//     write the content may be corrupt, but not empty.
//   - The lock is an advisory lock on path + ".lock". It ends with the process
//     that holds it. Its file is removed when the lock is released and there is
//     no session.
//
// The Store is a [Deleter]. The file system must support locks; some network
// file systems do not. An empty path is an error of every method.
func FileStore(path string) Store { return &fileStore{path: path} }

// A fileStore is the Store that FileStore returns. It keeps no file open: each
// method opens what it needs, so that many stores cost no descriptors.
type fileStore struct {
	path string

	saving sync.Mutex // Save removes the temporary files of others
}

const (
	// For the owner only: a session is as secret as a password.
	dirMode  = 0o700
	fileMode = 0o600

	// lockRetry is the interval at which a taken lock is tried again. A renewal
	// usually takes a tenth of a second.
	lockRetry = 10 * time.Millisecond
)

var errEmptyPath = errors.New("the path is empty")

// Load implements [Store].
func (s *fileStore) Load(ctx context.Context) (*oauth2.Token, error) {
	data, err := s.read(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("okru: session file: %w", err)
	}
	if len(data) > maxResponse {
		return nil, corrupt("it is too long")
	}
	t, err := UnmarshalToken(data)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", err, s.path)
	}
	return t, nil
}

// read returns the content of the file, up to one byte more than is valid.
func (s *fileStore) read(ctx context.Context) ([]byte, error) {
	if err := s.check(ctx); err != nil {
		return nil, err
	}
	file, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%s has mode %04o: other users may have read or written the session; run chmod 600 on it, or remove it", s.path, mode.Perm())
	}
	return io.ReadAll(io.LimitReader(file, maxResponse+1))
}

// check returns an error if the path is empty or ctx has ended.
func (s *fileStore) check(ctx context.Context) error {
	if s.path == "" {
		return errEmptyPath
	}
	return ctx.Err()
}

// Save implements [Store].
func (s *fileStore) Save(ctx context.Context, t *oauth2.Token) error {
	data, err := MarshalToken(t)
	if err != nil {
		return err
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	if err = s.check(ctx); err == nil {
		err = s.makeDir()
	}
	if err == nil {
		err = replaceFile(s.path, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("okru: session file: %w", err)
	}
	return nil
}

// Lock implements [Store].
func (s *fileStore) Lock(ctx context.Context) (unlock func(), err error) {
	if err = s.check(ctx); err == nil {
		err = s.makeDir()
	}
	if err != nil {
		return nil, fmt.Errorf("okru: session file: %w", err)
	}
	for {
		lock := flock.New(s.lockPath(), flock.SetPermissions(fileMode))
		if _, err := lock.TryLockContext(ctx, lockRetry); err != nil {
			return nil, fmt.Errorf("okru: session file: waiting for the lock: %w", err)
		}
		// Another process may have removed the file between its opening and the
		// lock: then this lock is on a file that no other process will see.
		if s.isCurrent(lock) {
			return sync.OnceFunc(func() { s.unlock(lock) }), nil
		}
		_ = lock.Unlock()
	}
}

// lockPath returns the file of the lock. It is not the session file itself: that
// is replaced by each save, and a lock would stay with the old one.
func (s *fileStore) lockPath() string { return s.path + ".lock" }

// unlock releases lock. If there is no session, it removes the file of the lock
// first, where the system allows that: users who have signed out, and keys that
// never had a session, leave nothing behind. After the removal others can lock a
// new file, so nothing must follow that needs the lock.
func (s *fileStore) unlock(lock *flock.Flock) {
	if _, err := os.Lstat(s.path); errors.Is(err, fs.ErrNotExist) {
		_ = os.Remove(s.lockPath())
	}
	_ = lock.Unlock()
}

// isCurrent reports whether lock is on the file that others would lock now. It
// is not if unlock has removed the file while Lock waited for it.
func (s *fileStore) isCurrent(lock *flock.Flock) bool {
	locked, err := lock.Stat()
	if err != nil {
		return false
	}
	current, err := os.Stat(s.lockPath())
	return err == nil && os.SameFile(locked, current)
}

// Delete implements [Deleter]. The file of the lock, which the caller holds, is
// removed when it is released.
func (s *fileStore) Delete(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return fmt.Errorf("okru: session file: %w", err)
	}
	removeTemporary(s.path)
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("okru: session file: %w", err)
	}
	return nil
}

// makeDir creates the directory if it does not exist.
func (s *fileStore) makeDir() error { return os.MkdirAll(filepath.Dir(s.path), dirMode) }

// Format implements [fmt.Formatter]: every verb prints the path.
func (s *fileStore) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "oauth.FileStore(%q)", s.path) }

// replaceFile replaces the content of path, completely or not at all, even if
// the machine stops meanwhile.
func replaceFile(path string, data []byte) (err error) {
	removeTemporary(path)
	file, err := os.CreateTemp(filepath.Dir(path), temporaryPrefix(path)+"*"+temporarySuffix) // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	if err = writeAndClose(file, data); err != nil {
		return err
	}
	// EBUSY is what Linux returns for a mount point.
	if err = rename(file.Name(), path); errors.Is(err, syscall.EBUSY) {
		_ = os.Remove(file.Name())
		return overwriteFile(path, data)
	}
	if err != nil {
		return err
	}
	syncDir(filepath.Dir(path))
	return nil
}

// rename is os.Rename; tests replace it, because mounting needs privileges.
var rename = os.Rename

// temporaryPrefix begins the names of temporary files. They are hidden, and next
// to path: a rename does not cross file systems.
func temporaryPrefix(path string) string { return "." + filepath.Base(path) + "." }

const temporarySuffix = ".tmp"

// removeTemporary removes the temporary files that killed processes left
// behind. Save is called with the lock, so no other process is writing one.
func removeTemporary(path string) {
	entries, _ := os.ReadDir(filepath.Dir(path))
	for _, e := range entries {
		rest, hasPrefix := strings.CutPrefix(e.Name(), temporaryPrefix(path))
		number, hasSuffix := strings.CutSuffix(rest, temporarySuffix)
		if hasPrefix && hasSuffix && strings.Trim(number, "0123456789") == "" { // otherwise it belongs to another path
			_ = os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

// overwriteFile writes data to an existing file. The old content is cut off
// last, so that the file is never empty.
func overwriteFile(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err := writeAndClose(file, data); err != nil {
		return err
	}
	return os.Truncate(path, int64(len(data)))
}

// writeAndClose writes data to file, and waits until it is on the disk.
func writeAndClose(file *os.File, data []byte) error {
	_, err := file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// syncDir makes a rename durable. Not every system can do that, and if it
// fails, the session is stored all the same.
func syncDir(path string) {
	if dir, err := os.Open(path); err == nil {
		_ = dir.Sync()
		dir.Close()
	}
}
