package oauth_test

import (
	"errors"
	"syscall"
	"testing"
)

// bindMount mounts the file source on the file path until the test ends. It
// skips the test if this process may not mount.
func bindMount(t *testing.T, source, path string) {
	t.Helper()
	err := syscall.Mount(source, path, "", syscall.MS_BIND, "")
	if errors.Is(err, syscall.EPERM) {
		t.Skip("mounting a file needs root (CAP_SYS_ADMIN); TestFileStoreOnAMountPoint imitates it")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(path, 0); err != nil {
			t.Errorf("unmounting: %v", err)
		}
	})
}
