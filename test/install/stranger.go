package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A stranger installs a module as the documentation says, in a directory with
// nothing else.
type stranger struct {
	dir string
	env []string
}

func (s stranger) install(module, version string) error {
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return err
	}
	if strings.HasPrefix(module, core+"/cmd/") {
		return s.installCommand(module, version)
	}
	for _, args := range [][]string{{"mod", "init", "example.com/stranger"}, {"get", module + "@" + version}} {
		if _, err := s.run("go", args...); err != nil {
			return err
		}
	}
	if err := s.build(module); err != nil { // as the go get has left go.mod and go.sum
		return err
	}
	packages, err := s.packages(module)
	if err != nil {
		return err
	}
	if err := s.build(packages...); err != nil {
		return err
	}
	return s.checkVersions(version)
}

// installCommand installs a command and runs it.
func (s stranger) installCommand(module, version string) error {
	if _, err := s.run("go", "install", module+"@"+version); err != nil {
		return err
	}
	bin, err := s.run("go", "env", "GOBIN")
	if err != nil {
		return err
	}
	out, err := s.run(filepath.Join(strings.TrimSpace(bin), path.Base(module)), "--version")
	if err == nil && !strings.Contains(out, version) {
		err = fmt.Errorf("--version prints %q", out)
	}
	return err
}

// packages returns every package of the module that others may import.
func (s stranger) packages(module string) ([]string, error) {
	list, err := s.run("go", "list", "-find", "-f", `{{if and .Module (eq .Module.Path "`+module+`") (ne .Name "main")}}{{.ImportPath}}{{end}}`, module+"/...")
	isInternal := func(pkg string) bool { return strings.Contains(pkg+"/", "/internal/") }
	packages := slices.DeleteFunc(strings.Fields(list), isInternal)
	if err == nil && len(packages) == 0 {
		err = errors.New("there is no such module, or it has no package")
	}
	return packages, err
}

// build builds a program that imports the packages. If there are several, it
// runs go mod tidy first, as the go command advises then: a package may need a
// module that the root of its own module does not.
func (s stranger) build(packages ...string) error {
	var program strings.Builder
	program.WriteString("package main\n\n")
	for _, pkg := range packages {
		fmt.Fprintf(&program, "import _ %q\n", pkg)
	}
	program.WriteString("\nfunc main() {}\n")
	if err := os.WriteFile(filepath.Join(s.dir, "main.go"), []byte(program.String()), 0o666); err != nil {
		return err
	}
	if len(packages) > 1 {
		if _, err := s.run("go", "mod", "tidy"); err != nil {
			return err
		}
	}
	_, err := s.run("go", "build", "-o", os.DevNull, ".")
	return err
}

// checkVersions returns an error if the program is built with another version
// of a module of this repository, such as an older one that is published.
func (s stranger) checkVersions(version string) error {
	list, err := s.run("go", "list", "-m", "-f", "{{.Path}} {{.Version}}", "all")
	if err != nil {
		return err
	}
	return otherVersion(list, version)
}

// otherVersion returns an error if list, of which each line is the path and the
// version of a module, has a module of this repository at another version.
func otherVersion(list, version string) error {
	for line := range strings.Lines(list) {
		name, used, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(name+"/", core+"/") && used != version {
			return fmt.Errorf("the program is built with %s@%s: require %s in go.mod", name, used, version)
		}
	}
	return nil
}

// run runs a command in the directory and returns its output. The error
// contains what it printed.
func (s stranger) run(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), s.env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, &stderr)
	}
	return stdout.String(), nil
}
