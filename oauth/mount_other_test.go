//go:build !linux

package oauth_test

import "testing"

func bindMount(t *testing.T, source, path string) {
	t.Skip("only Linux mounts a single file; TestFileStoreOnAMountPoint imitates it")
}
