package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	module = "github.com/go-okru/okru"
	before = "github.com/go-okru/before" // the module path of the other commit, in the worker
)

// prepare writes a module to dir whose program worker has both this tree and
// commit. The versions of other modules are those of test/bench for both.
func prepare(dir, commit string) error {
	top, err := output("", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	bench, worker, old := filepath.Join(top, "test", "bench"), filepath.Join(dir, "worker"), filepath.Join(dir, "old")
	if err := checkOut(top, commit, old); err != nil {
		return err
	}
	rows := filepath.Join(worker, "before")
	for to, from := range map[string]string{worker: filepath.Join(bench, "against", "worker"), rows: filepath.Join(bench, "against", "worker", "rows")} {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			return err
		}
	}
	for _, tree := range []string{old, rows} {
		if err := rename(tree); err != nil {
			return err
		}
	}
	const add = "package main\n\nimport \"" + module + "/test/bench/against/worker/before\"\n\nfunc init() { newBefore = rows.New }\n"
	if err := os.WriteFile(filepath.Join(worker, "before.go"), []byte(add), 0o600); err != nil {
		return err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(bench, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	_, err = output(dir, "go", "mod", "edit", "-module="+module+"/test/bench/against", "-replace="+module+"="+top,
		"-require="+before+"@v0.0.0", "-replace="+before+"="+old)
	return err
}

// checkOut writes the files of commit to dir.
func checkOut(top, commit, dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	archive := dir + ".tar"
	if _, err := output(top, "git", "archive", "--format=tar", "--output="+archive, commit); err != nil {
		return err
	}
	_, err := output(dir, "tar", "-xf", archive)
	return err
}

// rename gives the packages of this module in the Go files and the go.mod of tree
// the module path before, so that one program can have both.
func rename(tree string) error {
	return filepath.WalkDir(tree, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".go" && d.Name() != "go.mod" {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(name, bytes.ReplaceAll(text, []byte(module), []byte(before)), 0o600)
	})
}

// build builds the worker in dir and returns its path.
//
// Where the linker puts functions changes what a call costs by up to a twentieth, and
// any change of the code moves them. So each layout has the functions in another
// random order.
func build(dir string, layout int) (string, error) {
	name := filepath.Join(dir, fmt.Sprintf("worker%d.bin", layout))
	_, err := output(dir, "go", "build", "-mod=mod", fmt.Sprintf("-ldflags=-randlayout=%d", layout), "-o", name, "./worker")
	return name, err
}

// output runs a command and returns what it printed, without the last newline.
func output(dir string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}
