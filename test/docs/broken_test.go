package docs

import (
	"strings"
	"testing"
)

// The check finds what can be wrong with a snippet, and where.
func TestBrokenSnippets(t *testing.T) {
	for name, test := range map[string]struct{ page, want string }{
		"an unknown name": {"\n```go\nclient, err := okru.NewKlient(cfg)\n```\n", "broken.md:3"},
		"a wrong type":    {"```go\ncfg.ApplicationKey = 1\n```\n", "broken.md:2"},
		"no Go":           {"```go\nfor {\n```\n", "broken.md:2"},
		"not formatted":   {"```go\nfmt.Println( 1 )\n```\n", "gofmt"},
		"an error": {"```go\n_, err := okru.Call[any](ctx, client, \"users.nothing\", nil)\nif err != nil {\n\treturn err\n}\n```\n",
			"METHOD (3)"},
		"a panic": {"```go\npanic(\"oh\")\n```\n", "panic: oh"},
		"output":  {"```go\nfmt.Println(1)\n```\n\n```text output\n2\n```\n", "the page says"},
		"a host that is not OK": {"```go\nresp, err := http.Get(\"https://example.com/\")\nif err != nil {\n\treturn err\n}\n```\n",
			"example.com"},
		"declarations that nothing runs": {"```go\nfunc f() {}\n```\n", "nothing runs"},
		"declarations that fail":         {"<!-- with\nreturn f()\n-->\n```go\nfunc f() error { return errors.New(\"oh\") }\n```\n", "oh"},
		"a test that fails":              {"```go\nfunc TestX(t *testing.T) { t.Fatal(\"oh\") }\n```\n", "oh"},
		"a program that fails":           {"```go\npackage main\n\nfunc main() { panic(\"oh\") }\n```\n", "panic: oh"},
		"a program's output":             {"```go\npackage main\n\nfunc main() {}\n```\n\n```text output\n2\n```\n", "the page says"},
		"a comment at a program":         {"<!-- with\nx := 1\n-->\n```go\npackage main\n\nfunc main() {}\n```\n", "as it is"},
		"a comment at no snippet":        {"<!-- with\nx := 1\n-->\n```sh\nls\n```\n", "is none"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := check(t, parse("broken.md", test.page))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// What the comment before a snippet adds.
func TestWith(t *testing.T) {
	page := "<!-- with\nfunc twice(n int) int {\n\treturn 2 * n\n}\nn := 2\n-->\n```go\nn = twice(n)\nfmt.Println(n)\n```\n\nIt prints\n\n```text output\n4\n```\n"
	if _, err := check(t, parse("good.md", page)); err != nil {
		t.Error(err)
	}
}
