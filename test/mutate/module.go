package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A listedPackage is what go list prints about a package.
type listedPackage struct {
	Dir, ImportPath                    string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
}

func (p *listedPackage) hasImport(path string) bool {
	return slices.Contains(p.Imports, path) || slices.Contains(p.TestImports, path) || slices.Contains(p.XTestImports, path)
}

// A module is the packages of the module in dir, by their import paths. root
// is the path of the root package.
type module struct {
	dir, root string
	packages  map[string]*listedPackage
}

func loadModule(dir string) (*module, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	m := &module{dir: dir, packages: make(map[string]*listedPackage)}
	all, err := m.list("./...")
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		m.packages[p.ImportPath] = p
		if p.Dir == dir {
			m.root = p.ImportPath
		}
	}
	return m, nil
}

// list runs go list.
func (m *module) list(patterns ...string) ([]*listedPackage, error) {
	cmd := exec.Command("go", append([]string{"list", "-json"}, patterns...)...)
	cmd.Dir, cmd.Stderr = m.dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var list []*listedPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		p := new(listedPackage)
		if err := d.Decode(p); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
}

// testsOf returns the packages whose tests judge a mutant in path, in the
// order in which they run.
func (m *module) testsOf(path string) []string {
	tests := []string{path}
	if m.root != "" && m.root != path {
		tests = append(tests, m.root)
	}
	if !strings.Contains(path, "/internal/") {
		return tests
	}
	for _, other := range m.sorted() {
		if m.packages[other].hasImport(path) && !slices.Contains(tests, other) {
			tests = append(tests, other)
		}
	}
	return tests
}

func (m *module) sorted() []string {
	var paths []string
	for path := range m.packages {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// site is a mutation with its package and the source of its file.
type site struct {
	mutation
	pkg string
	src []byte
}

// sites returns all mutations of the packages that patterns name.
func (m *module) sites(patterns []string) ([]site, error) {
	list, err := m.list(patterns...)
	if err != nil {
		return nil, err
	}
	var all []site
	for _, p := range list {
		for _, name := range p.GoFiles {
			path := filepath.Join(p.Dir, name)
			src, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			found, err := mutations(path, src)
			if err != nil {
				return nil, err
			}
			for _, f := range found {
				all = append(all, site{f, p.ImportPath, src})
			}
		}
	}
	return all, nil
}
