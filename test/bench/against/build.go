package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// startBoth starts the worker of commit and that of this tree.
func startBoth(dir, commit string) (before, now *process, err error) {
	top, err := output("", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, nil, err
	}
	old := filepath.Join(dir, "commit")
	if err := checkOut(top, commit, old); err != nil {
		return nil, nil, err
	}
	if before, err = start(top, filepath.Join(dir, "before"), old); err != nil {
		return nil, nil, err
	}
	if now, err = start(top, filepath.Join(dir, "now"), top); err != nil {
		return nil, nil, errors.Join(err, before.stop())
	}
	return before, now, nil
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

// start builds the worker with the okru in tree, and starts it. The versions
// of other modules are those of test/bench for both sides.
func start(top, dir, tree string) (*process, error) {
	bench := filepath.Join(top, "test", "bench")
	if err := os.CopyFS(filepath.Join(dir, "worker"), os.DirFS(filepath.Join(bench, "against", "worker"))); err != nil {
		return nil, err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(bench, name))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return nil, err
		}
	}
	if _, err := output(dir, "go", "mod", "edit", "-replace=github.com/go-okru/okru="+tree); err != nil {
		return nil, err
	}
	if _, err := output(dir, "go", "build", "-mod=mod", "-o", "worker.bin", "./worker"); err != nil {
		return nil, err
	}
	return newProcess(filepath.Join(dir, "worker.bin"))
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

// A process is a running worker.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func newProcess(path string) (*process, error) {
	cmd := exec.Command(path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &process{cmd, in, bufio.NewReader(out)}, cmd.Start()
}

// measure lets the worker make calls of one row.
func (p *process) measure(row string, calls int) (ns, allocs float64, err error) {
	if _, err := fmt.Fprintln(p.in, row, calls); err != nil {
		return 0, 0, err
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		return 0, 0, fmt.Errorf("the worker ended: %w", err)
	}
	_, err = fmt.Sscan(line, &ns, &allocs)
	return ns, allocs, err
}

// stop ends the worker by closing its input.
func (p *process) stop() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }
