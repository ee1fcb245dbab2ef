package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/oauth2"
)

// FileStore returns a [Store] that keeps the session in the file path, as
// [MarshalToken] writes it.
//
//   - The file can be read and written by its owner only (mode 0600), and so
//     can its directory, if Save has to create that.
//   - Save writes a new file beside it and renames that, so that a reader, or
//     a crash, sees the old session or the new one. A symbolic link at path is
//     replaced.
//   - The lock is an advisory one on path + ".lock", a file that stays. It
//     ends with the process that holds it.
//
// The file system must have locks: some network file systems have none.
func FileStore(path string) Store { return &fileStore{path} }

type fileStore struct{ path string }

const (
	dirMode  = 0o700
	fileMode = 0o600

	// lockRetry is how often a lock that is taken is asked for. A renewal takes
	// a tenth of a second, as a rule.
	lockRetry = 10 * time.Millisecond
)

// Load implements [Store].
func (s *fileStore) Load(ctx context.Context) (*oauth2.Token, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("okru: session file: %w", err)
	}
	file, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("okru: session file: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("okru: session file: %w", err)
	}
	if len(data) > maxAnswer {
		return nil, corrupt("it is too long")
	}
	t, err := UnmarshalToken(data)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", err, s.path)
	}
	return t, nil
}

// Save implements [Store].
func (s *fileStore) Save(ctx context.Context, t *oauth2.Token) error {
	data, err := MarshalToken(t)
	if err != nil {
		return err
	}
	if err := errors.Join(ctx.Err(), s.makeDir()); err != nil {
		return fmt.Errorf("okru: session file: %w", err)
	}
	if err := replaceFile(s.path, append(data, '\n')); err != nil {
		return fmt.Errorf("okru: session file: %w", err)
	}
	return nil
}

// Lock implements [Store].
func (s *fileStore) Lock(ctx context.Context) (unlock func(), err error) {
	if err := s.makeDir(); err != nil {
		return nil, fmt.Errorf("okru: session file: %w", err)
	}
	lock := flock.New(s.path+".lock", flock.SetPermissions(fileMode))
	if _, err := lock.TryLockContext(ctx, lockRetry); err != nil {
		return nil, fmt.Errorf("okru: session file: waiting for the lock: %w", err)
	}
	return func() { _ = lock.Unlock() }, nil
}

func (s *fileStore) makeDir() error { return os.MkdirAll(filepath.Dir(s.path), dirMode) }

// String returns the path.
func (s *fileStore) String() string { return fmt.Sprintf("oauth.FileStore(%q)", s.path) }

// replaceFile gives path a new content, as a whole or not at all, even if the
// machine stops in between.
func replaceFile(path string, data []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	if _, err = file.Write(data); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err = os.Rename(file.Name(), path); err != nil {
		return err
	}
	syncDir(filepath.Dir(path))
	return nil
}

// syncDir makes a rename last. Not every system can, and none that can fails
// in a way that something could be done about here.
func syncDir(path string) {
	if dir, err := os.Open(path); err == nil {
		_ = dir.Sync()
		dir.Close()
	}
}
