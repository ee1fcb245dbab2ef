package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A verdict is what became of a mutant.
type verdict string

const (
	killed   verdict = "killed"
	survived verdict = "SURVIVED"
	invalid  verdict = "does not compile"
)

// try runs the tests that judge s until one fails.
func (m *module) try(s site, timeout time.Duration) (verdict, error) {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	overlay, err := writeOverlay(dir, s)
	if err != nil {
		return "", err
	}
	for _, path := range m.testsOf(s.pkg) {
		out, err := m.test(path, timeout, "-overlay="+overlay)
		switch {
		case err == nil:
		case strings.Contains(out, "[build failed]"), strings.Contains(out, "[setup failed]"):
			return invalid, nil
		default:
			return killed, nil
		}
	}
	return survived, nil
}

// writeOverlay writes the mutated file, and the file that makes the go command
// read it instead of the true one.
func writeOverlay(dir string, s site) (string, error) {
	mutant := filepath.Join(dir, filepath.Base(s.file))
	if err := os.WriteFile(mutant, s.apply(s.src), 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {s.file: mutant}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// test runs the tests of one package, and returns what go test printed.
func (m *module) test(path string, timeout time.Duration, flags ...string) (string, error) {
	args := append([]string{"test", "-vet=off", "-failfast", "-timeout=" + timeout.String()}, flags...)
	cmd := exec.Command("go", append(args, path)...)
	cmd.Dir = m.dir
	cmd.WaitDelay = 10 * time.Second // a test may leave processes that keep the output open
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// check runs all tests that will judge the sites, on the true code: a test
// that fails there would kill everything.
func (m *module) check(sites []site, timeout time.Duration) error {
	done := make(map[string]bool)
	for _, s := range sites {
		for _, path := range m.testsOf(s.pkg) {
			if done[path] {
				continue
			}
			done[path] = true
			if out, err := m.test(path, timeout); err != nil {
				return fmt.Errorf("%s fails without a mutation:\n%s", path, out)
			}
		}
	}
	return nil
}
