package docs

import "testing"

// module is the path of the core module; the paths of the others begin with it.
const module = "github.com/go-okru/okru"

// atRoot makes paths relative to the root of the project for the rest of a test.
// In TestMain, the go command would not notice it, and take old results from its
// cache when a page has changed.
func atRoot(t *testing.T) {
	t.Helper()
	t.Chdir("../../..")
}
