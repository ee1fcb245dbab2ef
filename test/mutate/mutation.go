package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
)

// A mutation replaces the bytes from start to end of a file by text.
type mutation struct {
	file       string
	kind       string
	line       int
	start, end int
	text       string
}

// apply returns the source with the mutation in it.
func (m mutation) apply(src []byte) []byte {
	return slices.Concat(src[:m.start], []byte(m.text), src[m.end:])
}

// diff returns the changed lines, before and after.
func (m mutation) diff(src []byte) string {
	from := bytes.LastIndexByte(src[:m.start], '\n') + 1
	to := len(src)
	if i := bytes.IndexByte(src[m.end:], '\n'); i >= 0 {
		to = m.end + i
	}
	var b bytes.Buffer
	for line := range bytes.Lines(src[from:to]) {
		fmt.Fprintf(&b, "\t- %s\n", bytes.TrimSpace(line))
	}
	changed := slices.Concat(src[from:m.start], []byte(m.text), src[m.end:to])
	for line := range bytes.Lines(changed) {
		fmt.Fprintf(&b, "\t+ %s\n", bytes.TrimSpace(line))
	}
	return b.String()
}

// mutations returns every mutation of one file, in the order of the file.
func mutations(name string, src []byte) ([]mutation, error) {
	c := collector{fset: token.NewFileSet(), name: name, src: src}
	file, err := parser.ParseFile(c.fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, c.visit)
	slices.SortStableFunc(c.found, func(a, b mutation) int { return cmp.Compare(a.start, b.start) })
	return c.found, nil
}

type collector struct {
	fset  *token.FileSet
	name  string
	src   []byte
	found []mutation

	failed *ast.ReturnStmt // of the last "if err != nil"
}

// add notes a mutation of the source from pos to end.
func (c *collector) add(kind string, pos, end token.Pos, text string) {
	start := c.fset.Position(pos)
	c.found = append(c.found, mutation{c.name, kind, start.Line, start.Offset, c.fset.Position(end).Offset, text})
}

// visit notes the mutations of one node. Imports, struct tags and types have
// none.
func (c *collector) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GenDecl:
		return n.Tok == token.CONST || n.Tok == token.VAR
	case *ast.IfStmt:
		c.negate(n.Cond)
		c.ifErr(n)
	case *ast.ForStmt:
		c.negate(n.Cond)
	case *ast.BinaryExpr:
		c.swap(n)
	case *ast.BasicLit:
		c.change(n)
	case *ast.Ident:
		c.flip(n)
	case *ast.ReturnStmt:
		c.forget(n)
		if last, ok := c.failure(n); ok {
			ast.Inspect(last, c.visit)
			return false
		}
	case *ast.CallExpr:
		if isMake(n) {
			ast.Inspect(n.Args[1], c.visit)
			return false
		}
	case *ast.BlockStmt:
		c.dropFrom(n.List)
	case *ast.CaseClause:
		c.dropFrom(n.Body)
	case *ast.CommClause:
		c.dropFrom(n.Body)
	}
	return true
}

func (c *collector) negate(cond ast.Expr) {
	if cond != nil {
		text := c.src[c.fset.Position(cond.Pos()).Offset:c.fset.Position(cond.End()).Offset]
		c.add("negate condition", cond.Pos(), cond.End(), "!("+string(text)+")")
	}
}

// swapped has an operator for each that is swapped. Comparisons move by one;
// negate has the other change.
var swapped = map[token.Token]token.Token{
	token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.LSS: token.LEQ, token.LEQ: token.LSS,
	token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.ADD: token.SUB, token.SUB: token.ADD,
	token.MUL: token.QUO, token.QUO: token.MUL,
	token.LAND: token.LOR, token.LOR: token.LAND,
	token.AND: token.OR, token.OR: token.AND,
	token.SHL: token.SHR, token.SHR: token.SHL,
}

func (c *collector) swap(n *ast.BinaryExpr) {
	if other, ok := swapped[n.Op]; ok {
		c.add("swap operator", n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), other.String())
	}
}

// change makes a number one more, and empties a text.
func (c *collector) change(n *ast.BasicLit) {
	switch n.Kind {
	case token.INT:
		if v, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			c.add("change constant", n.Pos(), n.End(), strconv.FormatInt(v+1, 10))
		}
	case token.FLOAT:
		c.add("change constant", n.Pos(), n.End(), "("+n.Value+"*2+1)")
	case token.STRING:
		if text, err := strconv.Unquote(n.Value); err == nil && text != "" {
			c.add("empty string", n.Pos(), n.End(), `""`)
		}
	}
}

func (c *collector) flip(n *ast.Ident) {
	switch n.Name {
	case "true":
		c.add("flip constant", n.Pos(), n.End(), "false")
	case "false":
		c.add("flip constant", n.Pos(), n.End(), "true")
	}
}

// forget returns no error where one was returned.
func (c *collector) forget(n *ast.ReturnStmt) {
	if len(n.Results) == 0 {
		return
	}
	last := n.Results[len(n.Results)-1]
	if isIdent(last, "err") {
		c.add("forget error", last.Pos(), last.End(), "nil")
	}
}

// ifErr notes the return at the end of "if err != nil".
func (c *collector) ifErr(n *ast.IfStmt) {
	cond, ok := n.Cond.(*ast.BinaryExpr)
	if !ok || cond.Op != token.NEQ || !isIdent(cond.X, "err") || !isIdent(cond.Y, "nil") || len(n.Body.List) == 0 {
		return
	}
	if r, ok := n.Body.List[len(n.Body.List)-1].(*ast.ReturnStmt); ok {
		c.failed = r
	}
}

// failure returns the error of a return that has one, and other results beside
// it: those are not changed, because no caller may look at them.
func (c *collector) failure(n *ast.ReturnStmt) (last ast.Expr, ok bool) {
	if len(n.Results) < 2 {
		return nil, false
	}
	last = n.Results[len(n.Results)-1]
	switch e := last.(type) {
	case *ast.Ident:
		return last, e.Name == "err" && n == c.failed
	case *ast.CallExpr:
		f, ok := e.Fun.(*ast.SelectorExpr)
		return last, ok && (f.Sel.Name == "Errorf" || isIdent(f.X, "errors") && f.Sel.Name == "New")
	}
	return nil, false
}

// isMake reports whether n is make with a capacity, which only saves
// allocations.
func isMake(n *ast.CallExpr) bool { return isIdent(n.Fun, "make") && len(n.Args) == 3 }

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// dropFrom leaves out each statement of a block that does something and
// declares nothing.
func (c *collector) dropFrom(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt, *ast.BranchStmt:
			c.add("drop statement", s.Pos(), s.End(), "")
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE {
				c.add("drop statement", s.Pos(), s.End(), "")
			}
		}
	}
}
