package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A kind is what a snippet is, and so how it is run.
type kind int

const (
	program    kind = iota
	statements      // in a function, which is called
	tests           // by go test
)

// A snippet is a Go block as a package of its own.
type snippet struct {
	block
	kind   kind
	source string // the file of the snippet
	output string // that it must print; empty: any
}

// toSnippet makes a package of b. imports are the paths of what it can use, by
// the name of the package.
func toSnippet(b block, imports map[string]string) (snippet, error) {
	if strings.HasPrefix(b.text, "package ") {
		if b.with != "" {
			return snippet{}, fmt.Errorf("%s:%d: a program runs as it is, without a comment", b.page, b.line)
		}
		return snippet{block: b, kind: program, source: b.text}, nil
	}
	declarations, before := split(b.with)
	_, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+b.text, parser.SkipObjectResolution)
	if err != nil {
		body := fmt.Sprintf("%s\n//line %s:%d\n%s", before, b.page, b.line, b.text)
		return complete(snippet{block: b, kind: statements}, declarations, body, imports)
	}
	declarations = fmt.Sprintf("%s\n//line %s:%d\n%s", declarations, b.page, b.line, b.text)
	if regexp.MustCompile(`(?m)^func Test`).MatchString(b.text) {
		return complete(snippet{block: b, kind: tests}, declarations, before, imports)
	}
	if before == "" {
		return snippet{}, fmt.Errorf("%s:%d: nothing runs these declarations; see package docs", b.page, b.line)
	}
	return complete(snippet{block: b, kind: statements}, declarations, before, imports)
}

// split separates the declarations of a comment from its statements.
func split(comment string) (declarations, statements string) {
	isDeclaration := regexp.MustCompile(`^(func|type|var|const) `)
	inside := false // of a declaration of several lines, which ends with a } or ) at the margin
	for line := range strings.Lines(comment) {
		if inside || isDeclaration.MatchString(line) {
			declarations += line
			ends := strings.HasPrefix(line, "}") || strings.HasPrefix(line, ")")
			opens := strings.HasSuffix(line, "{\n") || strings.HasSuffix(line, "(\n")
			inside = inside && !ends || !inside && opens
			continue
		}
		statements += line
	}
	return declarations, statements
}

// complete puts the parts of a snippet together and adds the imports.
func complete(s snippet, declarations, body string, imports map[string]string) (snippet, error) {
	file := fmt.Sprintf("%s\nfunc fragment() error {\n%s\n", declarations, body)
	unused, err := declared(file + "return nil\n}\n")
	if err != nil {
		return s, fmt.Errorf("%s:%d: %w", s.page, s.line, err)
	}
	for _, name := range unused {
		file += "_ = " + name + "\n"
	}
	file += "return nil\n}\n"
	parsed, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+file, 0)
	if err != nil {
		return s, fmt.Errorf("%s:%d: %w", s.page, s.line, err)
	}
	head := "package snippet\n\n"
	var added []string
	for _, id := range parsed.Unresolved {
		if p, ok := imports[id.Name]; ok && !slices.Contains(added, id.Name) {
			head += fmt.Sprintf("import %s %q\n", id.Name, p)
			added = append(added, id.Name)
		}
	}
	s.source = head + file
	return s, nil
}

// declared returns the variables that the function fragment of file declares at
// the outermost level of its body.
func declared(file string) (names []string, err error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+file, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	add := func(id *ast.Ident) {
		if id.Name != "_" && !slices.Contains(names, id.Name) {
			names = append(names, id.Name)
		}
	}
	fragment := parsed.Decls[len(parsed.Decls)-1].(*ast.FuncDecl)
	for _, statement := range fragment.Body.List {
		switch statement := statement.(type) {
		case *ast.AssignStmt:
			if statement.Tok == token.DEFINE {
				for _, left := range statement.Lhs {
					add(left.(*ast.Ident))
				}
			}
		case *ast.DeclStmt:
			for _, spec := range statement.Decl.(*ast.GenDecl).Specs {
				if value, ok := spec.(*ast.ValueSpec); ok && statement.Decl.(*ast.GenDecl).Tok == token.VAR {
					for _, id := range value.Names {
						add(id)
					}
				}
			}
		}
	}
	return names, nil
}

// packageNames are the names of packages that are not the last element of
// their path.
var packageNames = map[string]string{
	"github.com/go-okru/okru/errors": "okerrors",
	"github.com/go-okru/okru/otel":   "okotel",
	"github.com/go-okru/okru/redis":  "okredis",
	"github.com/go-okru/okru/vcr":    "okvcr",
	"github.com/redis/go-redis/v9":   "redis",
}

// knownImports reads imports.go.
func knownImports(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("imports.go")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "imports.go", text, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string]string{}
	for _, spec := range file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		name := packageNames[p]
		if name == "" {
			name = path.Base(p)
		}
		imports[name] = p
	}
	return imports
}
