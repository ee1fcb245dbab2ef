package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing/fstest"
)

// core is the path of the core module; the paths of the others begin with it.
const core = "github.com/go-okru/okru"

// A checkout is what a release of the working tree would consist of.
type checkout struct {
	files   fstest.MapFS // the tracked files, as they are in the working tree
	version string       // of every module
}

// readCheckout reads the tracked files of the repository that the current
// directory belongs to. Other files are in no release.
func readCheckout() (*checkout, error) {
	root, err := git(".", "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	root = strings.TrimSpace(root)
	list, err := git(root, "ls-files", "-z")
	if err != nil {
		return nil, err
	}
	co := &checkout{files: make(fstest.MapFS)}
	for name := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		co.files[name] = &fstest.MapFile{Data: data, Mode: 0o644}
	}
	co.version, err = newestVersion(co.files)
	return co, err
}

func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, &stderr)
	}
	return string(out), nil
}

var heading = regexp.MustCompile(`(?m)^## \[(\d+\.\d+\.\d+)\]`)

// newestVersion returns the version of the first release in CHANGELOG.md.
func newestVersion(files fstest.MapFS) (string, error) {
	data, err := files.ReadFile("CHANGELOG.md")
	if err != nil {
		return "", err
	}
	match := heading.FindSubmatch(data)
	if match == nil {
		return "", fmt.Errorf(`CHANGELOG.md has no heading of a release, such as "## [0.1.0]"`)
	}
	return "v" + string(match[1]), nil
}

// modules returns the paths of the modules for users, the core first: those
// that are neither tests nor examples.
func (co *checkout) modules() []string {
	var paths []string
	for name := range co.files {
		first, _, _ := strings.Cut(name, "/")
		if path.Base(name) == "go.mod" && first != "test" && first != "examples" {
			paths = append(paths, path.Join(core, path.Dir(name)))
		}
	}
	slices.Sort(paths)
	return paths
}
