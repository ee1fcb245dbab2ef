package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing/fstest"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// writeProxy makes a module proxy with the modules for users in dir. See
// https://go.dev/ref/mod#goproxy-protocol.
func (co *checkout) writeProxy(dir string) error {
	for _, modulePath := range co.modules() {
		if err := co.writeModule(dir, module.Version{Path: modulePath, Version: co.version}); err != nil {
			return fmt.Errorf("%s: %w", modulePath, err)
		}
	}
	return nil
}

func (co *checkout) writeModule(dir string, m module.Version) error {
	root := path.Join(".", strings.TrimPrefix(m.Path, core))
	goMod, err := co.files.ReadFile(path.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	if err := zip.Create(&archive, m, co.filesIn(root)); err != nil {
		return err
	}
	escaped, err := module.EscapePath(m.Path)
	if err != nil {
		return err
	}
	versions := filepath.Join(dir, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(versions, 0o777); err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		"list":              []byte(m.Version + "\n"),
		m.Version + ".info": fmt.Appendf(nil, `{"Version":%q}`, m.Version),
		m.Version + ".mod":  goMod,
		m.Version + ".zip":  archive.Bytes(),
	} {
		if err := os.WriteFile(filepath.Join(versions, name), data, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// filesIn returns the tracked files below root. [zip.Create] leaves out those
// of nested modules. As the go command does, filesIn adds the license of the
// repository to a module without one.
func (co *checkout) filesIn(root string) []zip.File {
	var list []zip.File
	add := func(name, file string) { list = append(list, trackedFile{co.files, name, file}) }
	for file := range co.files {
		if root == "." {
			add(file, file)
		} else if name, ok := strings.CutPrefix(file, root+"/"); ok {
			add(name, file)
		}
	}
	if _, err := fs.Stat(co.files, path.Join(root, "LICENSE")); err != nil {
		add("LICENSE", "LICENSE")
	}
	return list
}

// A trackedFile is a [zip.File].
type trackedFile struct {
	files fstest.MapFS
	name  string // in the module
	file  string // in the repository
}

func (f trackedFile) Path() string                 { return f.name }
func (f trackedFile) Lstat() (fs.FileInfo, error)  { return fs.Stat(f.files, f.file) }
func (f trackedFile) Open() (io.ReadCloser, error) { return f.files.Open(f.file) }

// environment returns the settings by which the go command takes the modules
// of this repository from the proxy in dir, and all others as usual.
// GONOSUMDB, since no checksum database knows them; GOPRIVATE would bypass the
// proxy too. A workspace, or flags meant for the checkout, must not matter. With
// -trimpath, what was built in one module cache need not be built in the next.
func environment(dir string) []string {
	inherited, err := exec.Command("go", "env", "GOPROXY").Output()
	usual := strings.TrimSpace(string(inherited))
	if err != nil || usual == "" {
		usual = "https://proxy.golang.org,direct"
	}
	return []string{
		"GOPROXY=file://" + filepath.ToSlash(dir) + "," + usual,
		"GONOSUMDB=" + core + "," + core + "/*",
		"GOPRIVATE=", "GONOPROXY=", "GOWORK=off",
		"GOFLAGS=-modcacherw -trimpath",
	}
}
