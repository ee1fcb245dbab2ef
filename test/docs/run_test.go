package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A build is a folder with the source of snippets, which the go command sees as
// part of this module.
type build struct {
	t       *testing.T
	dir     string            // the folder
	overlay map[string]string // a file of this module, and where it is
}

func newBuild(t *testing.T) *build {
	return &build{t, t.TempDir(), map[string]string{}}
}

// add adds a file. name is relative to this folder.
func (b *build) add(name, text string) {
	b.t.Helper()
	at := filepath.Join(b.dir, strings.ReplaceAll(name, "/", "_"))
	if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	here, err := filepath.Abs(name)
	if err != nil {
		b.t.Fatal(err)
	}
	b.overlay[here] = at
}

// command is the go command, for this build.
func (b *build) command(verb string, args ...string) *exec.Cmd {
	b.t.Helper()
	overlay, err := json.Marshal(map[string]any{"Replace": b.overlay})
	if err != nil {
		b.t.Fatal(err)
	}
	file := filepath.Join(b.dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		b.t.Fatal(err)
	}
	flags := []string{verb, "-overlay", file, "-ldflags=-s -w"} // the linker is what takes most of the time
	return exec.CommandContext(b.t.Context(), "go", append(flags, args...)...)
}

// run runs command and returns what it prints to standard output. Anything that
// it prints is in the error.
func run(command *exec.Cmd) (string, error) {
	var out, all bytes.Buffer
	command.Stdout, command.Stderr = &out, &all
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%w\n%s%s", err, all.Bytes(), out.Bytes())
	}
	return out.String(), nil
}

func preamble(t *testing.T, packageName string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/preamble.go")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(text), "package snippet", "package "+packageName, 1)
}

// A result is how a snippet ended.
type result struct{ Output, Err string }

// runStatements runs snippets of the kind statements, in one program.
func runStatements(t *testing.T, snippets []snippet) ([]result, error) {
	t.Helper()
	b := newBuild(t)
	var imports, calls strings.Builder
	for i, s := range snippets {
		folder := fmt.Sprintf("snippets/s%d", i)
		b.add(folder+"/snippet.go", s.source)
		b.add(folder+"/preamble.go", preamble(t, "snippet"))
		b.add(folder+"/run.go", "package snippet\n\nfunc Run() error {\n\tdefer begin()()\n\treturn fragment()\n}\n")
		fmt.Fprintf(&imports, "import s%d \"github.com/go-okru/okru/test/docs/%s\"\n", i, folder)
		fmt.Fprintf(&calls, "\trun(s%d.Run)\n", i)
	}
	b.add("snippets/main.go", "package main\n\n"+imports.String()+"\nfunc main() {\n"+calls.String()+"}\n")
	runner, err := os.ReadFile("testdata/runner.go")
	if err != nil {
		t.Fatal(err)
	}
	b.add("snippets/runner.go", string(runner))
	command := b.command("run", "./snippets")
	if slices.ContainsFunc(snippets, func(s snippet) bool { return strings.Contains(s.text, "redisAddress") }) {
		command.Env = append(os.Environ(), "DOCS_REDIS="+redisServer(t))
	}
	out, err := run(command)
	if err != nil {
		return nil, err
	}
	var results []result
	for decoder := json.NewDecoder(strings.NewReader(out)); decoder.More(); {
		var r result
		if err := decoder.Decode(&r); err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	if len(results) != len(snippets) {
		return results, fmt.Errorf("%d of %d snippets ended; then came %q", len(results), len(snippets), out)
	}
	return results, nil
}

// runProgram runs a snippet of the kind program, whose network is that of the
// preamble. With settings, the variables OKRU_… are set.
func runProgram(t *testing.T, s snippet, settings bool) (string, error) {
	t.Helper()
	b := newBuild(t)
	b.add("program/main.go", fmt.Sprintf("//line %s:%d\n%s", s.page, s.line, s.source))
	b.add("program/preamble.go", preamble(t, "main"))
	b.add("program/begin.go", "package main\n\nfunc init() { begin() }\n")
	if settings {
		b.add("program/settings.go", "package main\n\nimport \"os\"\n\nfunc init() {\n"+
			"\tos.Setenv(\"OKRU_APPLICATION_ID\", clientID)\n"+
			"\tos.Setenv(\"OKRU_APPLICATION_KEY\", applicationKey)\n"+
			"\tos.Setenv(\"OKRU_APPLICATION_SECRET\", applicationSecret)\n"+
			"\tos.Setenv(\"OKRU_ACCESS_TOKEN\", accessToken)\n"+
			"\tos.Setenv(\"OKRU_SESSION_SECRET_KEY\", sessionSecret)\n"+
			"\tos.Setenv(\"OKRU_REFRESH_TOKEN\", refreshToken)\n}\n")
	}
	return run(b.command("run", "./program"))
}

// runTests runs a snippet of the kind tests.
func runTests(t *testing.T, s snippet) (string, error) {
	t.Helper()
	b := newBuild(t)
	b.add("tests/snippet_test.go", s.source)
	b.add("tests/preamble_test.go", preamble(t, "snippet"))
	b.add("tests/begin_test.go", "package snippet\n\nimport \"testing\"\n\nfunc TestMain(m *testing.M) {\n\tdefer begin()()\n"+
		"\tif err := fragment(); err != nil {\n\t\tpanic(err)\n\t}\n\tm.Run()\n}\n")
	binary := filepath.Join(b.dir, "snippet.test")
	if _, err := run(b.command("test", "-vet=off", "-c", "-o", binary, "./tests")); err != nil {
		return "", err
	}
	return run(exec.CommandContext(t.Context(), binary, "-test.v"))
}
