package storetest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oauth/storetest"
)

// testStore is TestStore, where it is at home.
func testStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (a, b oauth.Store) { // one file, as two processes see it
		path := filepath.Join(t.TempDir(), "session.json")
		return oauth.FileStore(path), oauth.FileStore(path)
	})
}

// The test of a store. That of a store with a lease also has [storetest.Expire].
func ExampleRun() {
	_ = testStore
}

// An Option says how to bring a store into a state that the kit cannot bring it
// into by itself. This one cuts a file.
func ExampleOption() {
	var cut storetest.Option = storetest.Corrupt(func(t *testing.T, _ oauth.Store) {
		if err := os.Truncate("session.json", 10); err != nil {
			t.Fatal(err)
		}
	})
	_ = cut // storetest.Run(t, open, cut)
}
