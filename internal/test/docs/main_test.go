package docs

import (
	"fmt"
	"os"
	"testing"
)

// module is the path of the core module; the paths of the others begin with it.
const module = "github.com/go-okru/okru"

// All paths are relative to the root of the project.
func TestMain(m *testing.M) {
	if err := os.Chdir("../../.."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
