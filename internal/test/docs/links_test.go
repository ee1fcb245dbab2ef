package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// Every link of a page leads somewhere: to a file, a heading, or a name of this
// module at pkg.go.dev. Other sites are not asked.
func TestLinks(t *testing.T) {
	atRoot(t)
	checked := 0
	for _, page := range docPages(t) {
		text := readDoc(t, page)
		for _, link := range linksOf(text) {
			checked++
			if err := checkLink(page, link); err != nil {
				t.Errorf("%s: [%s](%s): %v", page, link.text, link.target, err)
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d links; the pages have more", checked)
	}
}

// Every path of this project that a page has as code exists.
func TestPaths(t *testing.T) {
	atRoot(t)
	path := regexp.MustCompile("`((?:internal|test|docs|examples|cmd|oauth|transport|ratelimit|errors)/[\\w./-]+)`")
	for _, page := range docPages(t) {
		for _, m := range path.FindAllStringSubmatch(readDoc(t, page), -1) {
			if _, err := os.Stat(m[1]); err != nil && !strings.Contains(m[1], "/v0.") {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

func TestLinksFindsBroken(t *testing.T) {
	atRoot(t)
	for _, target := range []string{
		"nothing.md", "docs/nothing.md", "#nothing", "docs/stores.md#nothing", "http://ok.ru", "https:///x", "../outside.md", "oauth/store.go#L1",
		"https://pkg.go.dev/github.com/go-okru/okru/nothing", "https://pkg.go.dev/github.com/go-okru/okru#Nothing",
		"https://pkg.go.dev/github.com/go-okru/okru/oauth#Source.Nothing",
	} {
		if checkLink("README.md", docLink{"x", target}) == nil {
			t.Errorf("%s: no error", target)
		}
	}
	for _, target := range []string{
		"docs/stores.md", "docs/stores.md#what-the-lock-must-guarantee", "examples/sqlstore", "https://apiok.ru",
		"https://pkg.go.dev/github.com/go-okru/okru", "https://pkg.go.dev/github.com/go-okru/okru/oauth#Source.Replace",
		"https://pkg.go.dev/github.com/go-okru/okru/errors#ErrSession",
	} {
		if err := checkLink("README.md", docLink{"x", target}); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
}

// docPages returns the pages of the project that people write.
func docPages(t *testing.T) []string {
	t.Helper()
	var pages []string
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && file != ".") {
			return fs.SkipDir
		}
		if filepath.Ext(file) == ".md" && !strings.HasPrefix(d.Name(), "results") {
			pages = append(pages, filepath.ToSlash(file))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func readDoc(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

type docLink struct{ text, target string }

var (
	docFence  = regexp.MustCompile("(?ms)^```.*?^```$")
	docInline = regexp.MustCompile("`[^`\n]+`")
	docTarget = regexp.MustCompile(`\[([^\[\]]*(?:\[[^\]]*\]\([^)]*\))?[^\[\]]*)\]\(([^)\s]+)\)`)
)

// linksOf returns the links and images of a page, those in code left out.
func linksOf(text string) []docLink {
	text = docFence.ReplaceAllString(text, "")
	text = docInline.ReplaceAllString(text, "code")
	var links []docLink
	for _, m := range docTarget.FindAllStringSubmatch(text, -1) {
		links = append(links, docLink{m[1], m[2]})
		if inner := docTarget.FindStringSubmatch(m[1]); inner != nil { // an image that is a link
			links = append(links, docLink{inner[1], inner[2]})
		}
	}
	return links
}

func checkLink(page string, link docLink) error {
	if name, ok := strings.CutPrefix(link.target, "https://pkg.go.dev/"+module); ok {
		return checkName(name)
	}
	if strings.Contains(link.target, "://") {
		if host, ok := strings.CutPrefix(link.target, "https://"); !ok || host == "" || host[0] == '/' {
			return fmt.Errorf("no https URL")
		}
		return nil
	}
	file, anchor, _ := strings.Cut(link.target, "#")
	target := filepath.Join(filepath.Dir(page), file)
	if file == "" {
		target = page
	}
	if !filepath.IsLocal(target) {
		return fmt.Errorf("%s is outside of the project", target)
	}
	if _, err := os.Stat(target); err != nil {
		return err
	}
	if anchor == "" {
		return nil
	}
	text, err := os.ReadFile(target)
	if err != nil {
		return err
	}
	if filepath.Ext(target) != ".md" || !slices.Contains(anchorsOf(string(text)), anchor) {
		return fmt.Errorf("%s has no heading #%s", target, anchor)
	}
	return nil
}

// anchorsOf returns the anchors that GitHub gives to the headings of a page.
func anchorsOf(text string) []string {
	var anchors []string
	for line := range strings.Lines(docFence.ReplaceAllString(text, "")) {
		title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !ok || !strings.HasPrefix(line, "#") {
			continue
		}
		title = docTarget.ReplaceAllString(title, "$1")
		anchors = append(anchors, strings.Map(func(r rune) rune {
			switch {
			case r == ' ' || r == '-':
				return '-'
			case r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(title)))
	}
	return anchors
}

// checkName checks the part of a URL of pkg.go.dev after the module, such as
// /oauth#Source.Replace.
func checkName(name string) error {
	folder, name, _ := strings.Cut(name, "#")
	folder = "./" + strings.TrimPrefix(folder, "/")
	files, err := filepath.Glob(folder + "/*.go")
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("%s has no package", folder)
	}
	if name == "" {
		return nil
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if slices.Contains(exportedNames(f), name) {
			return nil
		}
	}
	return fmt.Errorf("%s has no %s", folder, name)
}

// exportedNames returns the names that a file declares, as pkg.go.dev calls them.
func exportedNames(f *ast.File) []string {
	var names []string
	for _, decl := range f.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			name := decl.Name.Name
			if r := receiverOf(decl); r != "" {
				name = r + "." + name
			}
			names = append(names, name)
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names = append(names, spec.Name.Name)
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						names = append(names, id.Name)
					}
				}
			}
		}
	}
	return names
}

// receiverOf returns the type that decl is a method of, or "".
func receiverOf(decl *ast.FuncDecl) string {
	if decl.Recv == nil {
		return ""
	}
	t := decl.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}
