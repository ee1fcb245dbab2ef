// Install checks that the modules for users can be installed by a stranger: by
// a program that has no copy of this repository, so that no replace directive
// of it applies.
//
// It makes a module proxy of the tracked files of the checkout, at the newest
// version in CHANGELOG.md. Then, with a module cache of its own and for each
// module in a new, empty one, it gets the module and builds a program with
// every package of it, or installs it if it is a command. Last, it does what the
// first page says, in English and in Russian.
//
//	go run .             # check all modules, from this directory
//	go run . -proxy DIR  # only make the proxy in DIR, and print how to use it
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	only := flag.String("proxy", "", "make the module proxy in this `directory`, and nothing else")
	flag.Parse()
	if err := run(*only); err != nil {
		fmt.Fprintln(os.Stderr, "install:", err)
		os.Exit(1)
	}
}

func run(only string) error {
	co, err := readCheckout()
	if err != nil {
		return err
	}
	if only == "" {
		return co.install(os.Stdout, co.modules()...)
	}
	dir, err := filepath.Abs(only)
	if err != nil {
		return err
	}
	if err := co.writeProxy(dir); err != nil {
		return err
	}
	for _, v := range environment(dir) {
		fmt.Printf("export %q\n", v)
	}
	return nil
}

// install makes the proxy and installs modules from it. It prints a line for
// each to out.
func (co *checkout) install(out io.Writer, modules ...string) error {
	dir, err := os.MkdirTemp("", "okru-install-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	proxy := filepath.Join(dir, "proxy")
	if err := co.writeProxy(proxy); err != nil {
		return err
	}
	env := append(environment(proxy), "GOMODCACHE="+filepath.Join(dir, "mod"), "GOBIN="+filepath.Join(dir, "bin"))
	for _, module := range modules {
		s := stranger{filepath.Join(dir, "stranger", filepath.FromSlash(module)), env}
		if err := s.install(module, co.version); err != nil {
			return fmt.Errorf("%s@%s: %w", module, co.version, err)
		}
		fmt.Fprintf(out, "ok %s@%s\n", module, co.version)
	}
	if !slices.Contains(modules, core) {
		return nil
	}
	for _, name := range []string{"README.md", "README.ru.md"} {
		page, err := readFirstPage(string(co.files[name].Data))
		if err == nil {
			err = stranger{filepath.Join(dir, name), env}.follow(page)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(out, "ok %s\n", name)
	}
	return nil
}
