package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every exported name of every public package, those of nested modules
// included, has a comment. So has every field and method of an exported type.
func TestNamesHaveComments(t *testing.T) {
	atRoot(t)
	for _, folder := range publicPackages(t) {
		for _, file := range goFiles(t, folder, false) {
			for _, name := range undocumented(file.syntax) {
				t.Errorf("%s: %s has no comment", file.name, name)
			}
		}
	}
}

// Every exported type of a public package of this module is in an Example: one
// with its name, or one that uses it.
func TestTypesHaveExamples(t *testing.T) {
	atRoot(t)
	for _, folder := range publicPackages(t) {
		if isNested(folder) {
			continue
		}
		shown := shownTypes(goFiles(t, folder, true))
		for _, file := range goFiles(t, folder, false) {
			for _, name := range exportedTypes(file.syntax) {
				if !shown[name] {
					t.Errorf("%s: no Example shows %s", file.name, name)
				}
			}
		}
	}
}

// shownTypes returns the names that the Examples of a package have or use.
func shownTypes(tests []goFile) map[string]bool {
	shown := map[string]bool{}
	for _, file := range tests {
		pkg := strings.TrimSuffix(file.syntax.Name.Name, "_test")
		for _, decl := range file.syntax.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Example") {
				continue
			}
			name, _, _ := strings.Cut(strings.TrimPrefix(f.Name.Name, "Example"), "_")
			shown[name] = true
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && fmt.Sprint(s.X) == pkg {
					shown[s.Sel.Name] = true
				}
				return true
			})
		}
	}
	return shown
}

func TestUndocumented(t *testing.T) {
	const source = `package p

// A is documented.
type A struct {
	B int // documented

	// C and D are documented.
	C int
	D int

	E int

	f int
}

type G interface{ H() }

func (A) I() {}

func (a) J() {}

// K are documented.
const (
	K = iota
	L
)

const M = 1

var (
	N = 1 // documented
	O = 1
)
`
	f, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := undocumented(f), []string{"A.E", "G", "G.H", "A.I", "M", "O"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// publicPackages returns the folders of all packages that programs can import.
func publicPackages(t *testing.T) []string {
	t.Helper()
	var folders []string
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		switch d.Name() {
		case "internal", "testdata", "examples", "test", "cmd", "docs", ".git", ".ci", ".github":
			return fs.SkipDir
		}
		if files, _ := filepath.Glob(filepath.Join(file, "*.go")); files != nil {
			folders = append(folders, file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) < 8 {
		t.Errorf("public packages: %v", folders)
	}
	return folders
}

// isNested reports whether a folder belongs to a nested module.
func isNested(folder string) bool {
	for ; folder != "."; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return true
		}
	}
	return false
}

type goFile struct {
	name   string
	syntax *ast.File
}

// goFiles parses the files of a folder, either its tests or the others.
func goFiles(t *testing.T, folder string, tests bool) (files []goFile) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") != tests {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, goFile{name, f})
	}
	return files
}

// exportedTypes returns the exported types that f declares.
func exportedTypes(f *ast.File) (names []string) {
	for _, decl := range f.Decls {
		if decl, ok := decl.(*ast.GenDecl); ok && decl.Tok == token.TYPE {
			for _, spec := range decl.Specs {
				if name := spec.(*ast.TypeSpec).Name; name.IsExported() {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// undocumented returns the exported names of f that have no comment.
func undocumented(f *ast.File) (names []string) {
	for _, decl := range f.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			name, receiver := decl.Name.Name, receiverOf(decl)
			if !decl.Name.IsExported() || decl.Recv != nil && !ast.IsExported(receiver) || decl.Doc != nil {
				continue
			}
			if receiver != "" {
				name = receiver + "." + name
			}
			names = append(names, name)
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				names = append(names, undocumentedSpec(decl, spec)...)
			}
		}
	}
	return names
}

// undocumentedSpec returns the names of a type, constant or variable. The
// comment of a group of constants or variables is one for all of them.
func undocumentedSpec(decl *ast.GenDecl, spec ast.Spec) (names []string) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			inGroup := decl.Tok == token.CONST && decl.Doc != nil
			if name.IsExported() && spec.Doc == nil && spec.Comment == nil && !inGroup && (decl.Lparen.IsValid() || decl.Doc == nil) {
				names = append(names, name.Name)
			}
		}
	case *ast.TypeSpec:
		if !spec.Name.IsExported() {
			return nil
		}
		if spec.Doc == nil && decl.Doc == nil {
			names = append(names, spec.Name.Name)
		}
		names = append(names, undocumentedFields(spec)...)
	}
	return names
}

// undocumentedFields returns the fields, and methods of an interface, of a type.
// A comment is for the fields in the lines that follow it, too.
func undocumentedFields(spec *ast.TypeSpec) (names []string) {
	var fields *ast.FieldList
	switch t := spec.Type.(type) {
	case *ast.StructType:
		fields = t.Fields
	case *ast.InterfaceType:
		fields = t.Methods
	default:
		return nil
	}
	var documented token.Pos // the end of the last field that has a comment, or shares one
	for _, field := range fields.List {
		shares := documented.IsValid() && field.Pos()-documented <= 2 // the line break and the indentation
		if field.Doc != nil || shares {
			documented = field.End()
		}
		for _, name := range field.Names {
			if name.IsExported() && field.Doc == nil && field.Comment == nil && !shares {
				names = append(names, spec.Name.Name+"."+name.Name)
			}
		}
	}
	return names
}
