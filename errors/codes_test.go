package okerrors_test

import (
	"bufio"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
)

var classes = map[string]error{
	"ErrSession":    okerrors.ErrSession,
	"ErrPermission": okerrors.ErrPermission,
	"ErrThrottled":  okerrors.ErrThrottled,
	"ErrTransient":  okerrors.ErrTransient,
	"ErrInvalid":    okerrors.ErrInvalid,
	"ErrNotFound":   okerrors.ErrNotFound,
	"ErrUserAction": okerrors.ErrUserAction,
	"ErrRule":       okerrors.ErrRule,
}

// row is a line of testdata/codes.tsv: OK's own list of codes with the class
// each belongs to.
type row struct {
	code  okerrors.Code
	name  string
	class string
}

func rows(t testing.TB) (list []row) {
	f, err := os.Open("testdata/codes.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var r row
		if _, err := fmt.Sscan(lines.Text(), (*int)(&r.code), &r.name, &r.class); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		list = append(list, r)
	}
	if len(list) < 100 {
		t.Fatalf("only %d codes in testdata/codes.tsv", len(list))
	}
	return list
}

func TestCodes(t *testing.T) {
	for _, r := range rows(t) {
		t.Run(r.name, func(t *testing.T) {
			if got, want := r.code.Error(), fmt.Sprintf("%s (%d)", r.name, int(r.code)); got != want {
				t.Errorf("Error() = %q, want %q", got, want)
			}
			for name, class := range classes {
				if got, want := errors.Is(r.code, class), name == r.class; got != want {
					t.Errorf("errors.Is(%v, %s) = %v", r.code, name, got)
				}
			}
		})
	}
}

// TestConstants checks that the constants are those of OK's list, no more and
// no less, under names made from OK's.
func TestConstants(t *testing.T) {
	constants := constants(t)
	for _, r := range rows(t) {
		name := constantName(r.name)
		if got, ok := constants[name]; !ok || got != int(r.code) {
			t.Errorf("%s = %d, %v; want %d", name, got, ok, r.code)
		}
		delete(constants, name)
	}
	for name := range constants {
		t.Errorf("%s is on no list", name)
	}
}

func constantName(symbol string) string {
	name := "Code"
	for _, word := range strings.Split(symbol, "_") {
		switch word {
		case "ID", "IP", "API":
			name += word
		case "IDS":
			name += "IDs"
		default:
			name += word[:1] + strings.ToLower(word[1:])
		}
	}
	return name
}

// constants reads the constants of type Code from the source, and sees to it
// that each has a comment.
func constants(t *testing.T) map[string]int {
	found := make(map[string]int)
	files, err := filepath.Glob("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if d, ok := n.(*ast.GenDecl); ok {
				return d.Tok == token.CONST
			}
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			constant := spec.Names[0].Name
			if !strings.HasPrefix(spec.Doc.Text(), constant+" ") {
				t.Errorf("%s: the comment of %s does not begin with its name", name, constant)
			}
			found[constant], _ = strconv.Atoi(spec.Values[0].(*ast.BasicLit).Value)
			return false
		})
	}
	return found
}

func TestUnknownCode(t *testing.T) {
	for _, code := range []okerrors.Code{-1, 0, 5, 99, 4242, 1 << 30} {
		if got, want := code.Error(), fmt.Sprintf("CODE (%d)", int(code)); got != want {
			t.Errorf("Error() = %q, want %q", got, want)
		}
		for name, class := range classes {
			if errors.Is(code, class) {
				t.Errorf("%v is %s", code, name)
			}
		}
		if errors.Is(code, nil) || code.Is(nil) {
			t.Errorf("%v is nil", code)
		}
		if !errors.Is(fmt.Errorf("wrapped: %w", code), code) {
			t.Errorf("%v is not itself", code)
		}
	}
}
