package okru_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/go-okru/okru"

// mayImport says which packages each package may import, of ours and of
// others, and why. What is not listed is not allowed: leaves do not know each
// other, and the core module stays lean. Tests may import all of ours and all
// dependencies, and nothing else.
var mayImport = []struct {
	pkg, why string
	imports  []string
}{
	{".", "the porcelain joins all layers", []string{"errors", "internal/*", "ratelimit", "transport",
		"golang.org/x/oauth2"}},
	{"errors", "every package must be able to import it, so it imports none", []string{"internal/*"}},
	{"transport", "signing and repeating need to understand responses, and neither grants nor limits", []string{"errors", "internal/*",
		"golang.org/x/oauth2", "github.com/hashicorp/go-retryablehttp"}},
	{"oauth", "auth.login fails with API errors; a grant sends its requests by itself", []string{"errors", "internal/*",
		"golang.org/x/oauth2", "golang.org/x/net/html", "golang.org/x/net/html/atom", "github.com/gofrs/flock"}},
	{"oauth/storetest", "a test kit knows what it tests, and the extras that a store must keep", []string{"oauth", "internal/param", "internal/token",
		"golang.org/x/oauth2"}},
	{"ratelimit", "a limiter learns from responses, and there is one per session", []string{"errors", "internal/*",
		"golang.org/x/time/rate", "golang.org/x/oauth2"}},
	{"callback", "what OK sends is answered with its own codes; no call is made", []string{"errors", "internal/redact"}},
	{"oktest", "a fake that shared code with what it judges would repeat its mistakes", []string{"errors", "internal/redact",
		"golang.org/x/oauth2"}},
	{"rttest", "it is for every http.RoundTripper, and knows nothing of OK", nil},
	{"internal/okcall", "what a request means as a call", []string{"internal/param", "golang.org/x/oauth2"}},
	{"internal/roundtrip", "what the layers have in common", []string{"internal/okcall"}},
	{"internal/token", "what a session is made of", []string{"internal/param", "golang.org/x/oauth2"}},
	{"internal/lookahead", "responses are inspected, and never printed", []string{"internal/redact"}},
	{"internal/param", "at the bottom", nil},
	{"internal/redact", "at the bottom", nil},
	{"internal/test/*", "to be of use to others it must know nothing of OK", nil},
	{"examples/*", "programs to copy use what is public, and what the core requires anyway", []string{".", "callback", "errors", "oauth", "oktest", "ratelimit", "transport",
		"golang.org/x/oauth2", "github.com/gofrs/flock"}},
}

func TestImports(t *testing.T) {
	nested := nestedModules(t)
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || slices.Contains(nested, file)) {
			return fs.SkipDir
		}
		if strings.HasSuffix(file, ".go") {
			checkImports(t, file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func nestedModules(t *testing.T) []string {
	t.Helper()
	mods, err := filepath.Glob("*/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	deeper, err := filepath.Glob("*/*/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for _, mod := range append(mods, deeper...) {
		dirs = append(dirs, filepath.Dir(mod))
	}
	return dirs
}

func checkImports(t *testing.T, file string) {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	pkg := filepath.ToSlash(filepath.Dir(file))
	for _, spec := range f.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") {
			continue // the standard library
		}
		ours, isOurs := strings.CutPrefix(name+"/", module+"/")
		if isOurs {
			name = strings.TrimSuffix(ours, "/")
			if name == "" {
				name = "."
			}
		}
		if allowed(pkg, name) || strings.HasSuffix(file, "_test.go") && (isOurs || isDependency(name)) {
			continue
		}
		t.Errorf("%s imports %s: %s", file, name, why(pkg))
	}
}

func allowed(pkg, name string) bool {
	for _, row := range mayImport {
		if matches(row.pkg, pkg) && slices.ContainsFunc(row.imports, func(pattern string) bool { return matches(pattern, name) }) {
			return true
		}
	}
	return false
}

// dependencies are the modules that the core may require.
var dependencies = []string{"github.com/gofrs/flock", "github.com/hashicorp/go-retryablehttp", "golang.org/x/net",
	"golang.org/x/oauth2", "golang.org/x/time"}

func isDependency(name string) bool {
	return slices.ContainsFunc(dependencies, func(mod string) bool { return strings.HasPrefix(name+"/", mod+"/") })
}

func why(pkg string) string {
	for _, row := range mayImport {
		if matches(row.pkg, pkg) {
			return row.why
		}
	}
	return "no row of mayImport is about " + pkg
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
