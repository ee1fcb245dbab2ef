package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every command line of a page names packages, modules, files, flags, tests and
// variables of the environment that exist.
func TestCommands(t *testing.T) {
	atRoot(t)
	checked := 0
	for _, page := range docPages(t) {
		for _, command := range commandsOf(readDoc(t, page)) {
			checked++
			if err := checkCommand(filepath.Dir(page), command); err != nil {
				t.Errorf("%s: %s: %v", page, command, err)
			}
		}
	}
	if checked < 15 {
		t.Errorf("only %d commands; the pages have more", checked)
	}
}

func TestCommandsFindsBroken(t *testing.T) {
	atRoot(t)
	for _, command := range []string{
		"go run ./examples/nothing", "go run ./examples", "go test ./nothing/...", "go -C test/nothing run .", "go run ./examples/quickstart -nothing",
		"go get github.com/go-okru/okru/nothing", "go get github.com/go-okru/okro", "go install github.com/go-okru/okru@latest", "go nothing ./...",
		"go test -run NothingLikeThis ./oauth", "go test -nothing ./oauth", "OKRU_NOTHING=1 go test ./...", "bash .ci/nothing", "nothing", "go run",
		"okru nothing", "okru call users.getInfo --nosuchflag",
	} {
		if checkCommand(".", command) == nil {
			t.Errorf("%s: no error", command)
		}
	}
	for _, command := range []string{
		"go run ./examples/quickstart -log", "go test ./...", "go test -race -shuffle=on ./...", "go -C test/bench run . -only calls,growth",
		"OKRU_LONG=1 go test -run SeveralProcesses -v ./ratelimit", "go get github.com/go-okru/okru", "go get github.com/go-okru/okru/vcr@v0.1.0",
		"go vet ./... && gofmt -l .", "bash .ci/run", "okru call users.getInfo uids=1 --table", "okru fake -- python3 --nothing",
	} {
		if err := checkCommand(".", command); err != nil {
			t.Errorf("%s: %v", command, err)
		}
	}
}

// Every variable of the environment that a page names is used by something.
func TestVariables(t *testing.T) {
	atRoot(t)
	name := regexp.MustCompile(`\bOKRU_[A-Z0-9_]*[A-Z0-9]\b`)
	for _, page := range docPages(t) {
		for _, variable := range name.FindAllString(readDoc(t, page), -1) {
			if !isVariable(variable) {
				t.Errorf("%s: nothing uses %s", page, variable)
			}
		}
	}
}

// Every test that a page names exists.
func TestNamedTests(t *testing.T) {
	atRoot(t)
	var source strings.Builder
	err := filepath.WalkDir(".", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		text, err := os.ReadFile(file)
		source.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range docPages(t) {
		for _, name := range regexp.MustCompile("`(Test[A-Z]\\w+)`").FindAllStringSubmatch(readDoc(t, page), -1) {
			if !strings.Contains(source.String(), "\nfunc "+name[1]+"(") {
				t.Errorf("%s: there is no %s", page, name[1])
			}
		}
	}
}

// commandsOf returns the command lines of a page: those in blocks of code that
// are not of another language, and the code in the text that begins with go or
// bash.
func commandsOf(text string) []string {
	var commands []string
	for _, fence := range docFence.FindAllString(text, -1) {
		info, body, _ := strings.Cut(strings.TrimSuffix(fence, "```"), "\n")
		if info == "```sh" {
			commands = append(commands, strings.Split(body, "\n")...)
		}
	}
	text = docFence.ReplaceAllString(text, "")
	for _, code := range docInline.FindAllString(text, -1) {
		if code = strings.Trim(code, "`"); regexp.MustCompile(`^(OKRU_\w+=\S+ )*(go (-C|run|test|get|install|mod|work|vet|build|tool) |bash )`).MatchString(code) {
			commands = append(commands, code)
		}
	}
	indented := regexp.MustCompile(`(?m)(?:^\n|\A)((?:    .*\n)+)`)
	for _, block := range indented.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(block[1]) {
			if !strings.HasPrefix(line, "     ") {
				commands = append(commands, strings.TrimSpace(line))
			}
		}
	}
	return slices.DeleteFunc(commands, func(c string) bool {
		c, _, _ = strings.Cut(strings.TrimSpace(c), "#")
		return c == ""
	})
}

// checkCommand checks a line, which is run in dir or at the root: pages of a
// folder are read in both.
func checkCommand(dir, line string) error {
	line, _, _ = strings.Cut(line, " # ")
	for part := range strings.SplitSeq(line, "&&") {
		err := checkWords(".", strings.Fields(part))
		if err != nil && dir != "." && checkWords(dir, strings.Fields(part)) == nil {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func checkWords(dir string, words []string) error {
	for len(words) > 0 {
		name, _, ok := strings.Cut(words[0], "=")
		if !ok {
			break
		}
		if strings.HasPrefix(name, "OKRU_") && !isVariable(name) {
			return fmt.Errorf("nothing uses %s", name)
		}
		words = words[1:]
	}
	if len(words) == 0 {
		return nil
	}
	switch words[0] {
	case "go":
		return checkGo(dir, words[1:])
	case "okru":
		return checkOkru(words[1:])
	case "bash":
		_, err := os.Stat(filepath.Join(dir, words[1]))
		return err
	case "cd", "curl", "export", "git", "gofmt", "mkdir", "python3", "npm":
		return nil
	}
	return fmt.Errorf("unknown command %s", words[0])
}

func checkGo(dir string, words []string) error {
	if len(words) > 1 && words[0] == "-C" {
		dir, words = filepath.Join(dir, words[1]), words[2:]
	}
	if len(words) == 0 {
		return fmt.Errorf("go, and nothing else")
	}
	switch verb, args := words[0], words[1:]; verb {
	case "run":
		return checkRun(dir, args)
	case "test", "vet", "build":
		return checkPackages(dir, args)
	case "get", "install":
		return checkModules(verb, args)
	case "mod", "work", "tool", "env", "version", "list", "doc", "clean":
		return nil
	default:
		return fmt.Errorf("unknown command go %s", verb)
	}
}

// checkOkru checks the arguments of the command okru: its command and its flags.
func checkOkru(args []string) error {
	source, err := sourceOf("cmd/okru", "*.go")
	if err != nil || len(args) == 0 {
		return err
	}
	own := []string{"--help", "--version", "completion", "help"} // of cobra
	if !slices.Contains(own, args[0]) && !regexp.MustCompile(`Use: +"`+regexp.QuoteMeta(args[0])+`[ "]`).MatchString(source) {
		return fmt.Errorf("no command okru %s", args[0])
	}
	for _, arg := range args[1:] {
		if arg == "--" {
			break
		}
		if name, ok := strings.CutPrefix(arg, "--"); ok && !slices.Contains(own, arg) && !strings.Contains(source, `"`+name+`",`) {
			return fmt.Errorf("no flag %s", arg)
		}
	}
	return nil
}

// checkRun checks the arguments of go run: a program, and its flags.
func checkRun(dir string, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("what should run?")
	}
	if dir == "." && args[0] == "." { // the reader's own program
		return nil
	}
	source, err := sourceOf(filepath.Join(dir, args[0]), "*.go")
	if err != nil {
		return err
	}
	if !strings.Contains(source, "package main\n") {
		return fmt.Errorf("%s is not a program", args[0])
	}
	return checkFlags(source, args[1:])
}

// checkFlags checks that source has the flags among args.
func checkFlags(source string, args []string) error {
	for _, arg := range args {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && !strings.Contains(source, `("`+name+`",`) {
			return fmt.Errorf("no flag -%s", name)
		}
	}
	return nil
}

// goFlags are flags of go test, vet and build; true: a value follows.
var goFlags = map[string]bool{"-race": false, "-shuffle": false, "-v": false, "-run": true, "-bench": true, "-timeout": true,
	"-count": false, "-short": false, "-benchmem": false, "-fuzz": true, "-fuzztime": true, "-tags": true}

// checkPackages checks the arguments of go test: packages, tests and flags.
func checkPackages(dir string, args []string) error {
	var run []string // what -run, -bench and -fuzz choose
	var packages, others []string
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		follows, known := goFlags[name]
		switch {
		case !strings.HasPrefix(name, "-"):
			packages = append(packages, name)
			continue
		case !known:
			others = append(others, args[i])
			continue
		case follows && !joined:
			if i++; i == len(args) {
				return fmt.Errorf("%s without a value", name)
			}
			value = args[i]
		}
		if name == "-run" || name == "-bench" && value != "." {
			run = append(run, value)
		}
	}
	if packages == nil {
		packages = []string{"."}
	}
	var source string
	for _, pkg := range packages {
		text, err := sourceOf(filepath.Join(dir, pkg), "*_test.go")
		if err != nil {
			return err
		}
		source += text
	}
	for _, pattern := range run {
		if !regexp.MustCompile(`func \w*(` + strings.Trim(pattern, `'"^$`) + `)\w*\(`).MatchString(source) {
			return fmt.Errorf("no test is like %s", pattern)
		}
	}
	return checkFlags(source, others)
}

// sourceOf returns the source of a package, or of all below it if it ends in
// "...".
func sourceOf(pkg, pattern string) (string, error) {
	folder, deep := strings.CutSuffix(pkg, "...")
	folder = filepath.Clean(folder)
	var source strings.Builder
	found := false
	err := filepath.WalkDir(folder, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && file != folder && (!deep || d.Name() == "testdata") {
			return fs.SkipDir
		}
		found = found || filepath.Ext(file) == ".go"
		if ok, _ := filepath.Match(pattern, d.Name()); ok {
			text, err := os.ReadFile(file)
			source.Write(text)
			return err
		}
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("%s has no package", pkg)
	}
	return source.String(), err
}

// checkModules checks the arguments of go get and go install.
func checkModules(verb string, args []string) error {
	for _, arg := range args {
		path, _, _ := strings.Cut(arg, "@")
		folder, ours := strings.CutPrefix(path+"/", module+"/")
		if !ours {
			return fmt.Errorf("%s is not of this project", path)
		}
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err != nil {
			return err
		}
		source, err := sourceOf("./"+folder, "*.go")
		if err != nil {
			return err
		}
		if verb == "install" && !strings.Contains(source, "package main\n") {
			return fmt.Errorf("%s is not a program", path)
		}
	}
	return nil
}

// isVariable reports whether Go code or the gate has the variable name.
func isVariable(name string) bool {
	found := false
	_ = filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || found {
			return fs.SkipAll
		}
		if filepath.Ext(file) == ".go" && filepath.Base(file) != "commands_test.go" || file == filepath.Join(".ci", "run") {
			text, err := os.ReadFile(file)
			found = err == nil && strings.Contains(string(text), name)
		}
		return nil
	})
	return found
}
