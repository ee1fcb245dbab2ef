package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// Each row makes a mistake of a release in a copy of the checkout. To install
// what it breaks must fail, with an error that shows the mistake.
func TestMistakesAreFound(t *testing.T) {
	const vcr, redis = core + "/vcr", core + "/redis"
	for name, test := range map[string]struct {
		mistake func(co *checkout)
		module  string
		want    string
	}{
		"version that does not exist":  {func(co *checkout) { replace("vcr/go.mod", "okru "+co.version, "okru v0.0.0")(co) }, vcr, "okru@v0.0.0"},
		"go.mod not raised":            {func(co *checkout) { co.version = "v0.9999.0" }, redis, core + "@v"},
		"replace in a command":         {add("cmd/okru/go.mod", "replace "+core+" => ../.."), core + "/cmd/okru", "replace directive"},
		"other name":                   {replace("vcr/go.mod", "okru/vcr", "okru/tape"), vcr, "okru/tape"},
		"file not committed":           {func(co *checkout) { delete(co.files, "vcr/names.go") }, vcr, "undefined"},
		"README without go mod tidy":   {replace("README.md", "go mod tidy\n", ""), core, "README.md: bash"},
		"README with other output":     {replace("README.md", "has 7 friends", "has 8 friends"), core, "has 8 friends"},
		"README with a broken program": {replace("README.md", "okru.NewClient(cfg)", "okru.New(cfg)"), core, "undefined: okru.New"},
		"go.mod not committed":         {func(co *checkout) { delete(co.files, "vcr/go.mod") }, vcr, "no such module"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			co := readCopy(t)
			test.mistake(co)
			err := co.install(io.Discard, test.module)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one that contains %q", err, test.want)
			}
		})
	}
}

// An old version that is published must not do either: users would get the old
// code.
func TestOtherVersion(t *testing.T) {
	for _, test := range []struct{ list, want string }{
		{"example.com/stranger \n" + core + " v0.2.0\n" + core + "/vcr v0.2.0\n", ""},
		{core + "x v0.1.0\n", ""},
		{core + " v0.1.0\n" + core + "/vcr v0.2.0\n", core + "@v0.1.0"},
		{core + " v0.2.0\n" + core + "/vcr v0.1.0\n", core + "/vcr@v0.1.0"},
	} {
		err := otherVersion(test.list, "v0.2.0")
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error is %v, want %q", test.list, err, test.want)
		}
	}
}

// Only tracked files are released, and every module for users.
func TestModules(t *testing.T) {
	co := readCopy(t)
	var want []string
	for _, dir := range []string{"", "/cmd/okru", "/otel", "/redis", "/vcr"} {
		want = append(want, core+dir)
	}
	if got := co.modules(); !slices.Equal(got, want) {
		t.Errorf("modules are %q, want %q", got, want)
	}
}

func readCopy(t *testing.T) *checkout {
	t.Helper()
	co, err := readCheckout()
	if err != nil {
		t.Fatal(err)
	}
	return co
}

// add returns a mistake that adds a line to a file.
func add(name, line string) func(*checkout) {
	return func(co *checkout) {
		co.files[name] = &fstest.MapFile{Data: append(co.files[name].Data, "\n"+line+"\n"...), Mode: 0o644}
	}
}

// replace returns a mistake that replaces old in a file.
func replace(name, old, new string) func(*checkout) {
	return func(co *checkout) {
		data := co.files[name].Data
		changed := bytes.ReplaceAll(data, []byte(old), []byte(new))
		if bytes.Equal(data, changed) {
			panic(name + " has no " + old)
		}
		co.files[name] = &fstest.MapFile{Data: changed, Mode: 0o644}
	}
}
