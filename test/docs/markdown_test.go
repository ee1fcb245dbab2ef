package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A block is a fenced code block of a page.
type block struct {
	page string // relative to the root of the project
	line int    // of the first line of text
	info string // after the fence, such as "go"
	with string // what the comment before the block adds; empty: no comment
	text string
}

// root is the root of the project.
const root = "../../"

// pages returns the pages whose snippets are run.
func pages(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob(root + "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	readmes, err := filepath.Glob(root + "README*.md")
	if err != nil {
		t.Fatal(err)
	}
	for i := range readmes {
		readmes[i] = strings.TrimPrefix(readmes[i], root)
	}
	for _, page := range pages {
		readmes = append(readmes, strings.TrimPrefix(page, root))
	}
	return readmes
}

// read returns the blocks of a page.
func read(t *testing.T, page string) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	return parse(page, string(text))
}

var withComment = regexp.MustCompile(`(?s)^<!-- with\n(.*?)-->\n$`)

// parse returns the blocks of the text of a page.
func parse(page, text string) []block {
	var blocks []block
	var comment strings.Builder // the one that ends at the line before
	open, inComment := false, false
	number := 0
	for line := range strings.Lines(text) {
		number++
		info, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && !open:
			b := block{page: page, line: number + 1, info: strings.TrimSpace(info)}
			if m := withComment.FindStringSubmatch(comment.String()); m != nil {
				b.with = m[1]
			}
			blocks, open = append(blocks, b), true
			comment.Reset()
		case isFence:
			open = false
		case open:
			blocks[len(blocks)-1].text += line
		case inComment || strings.HasPrefix(line, "<!--"):
			if !inComment {
				comment.Reset()
			}
			comment.WriteString(line)
			inComment = !strings.Contains(line, "-->")
		default:
			comment.Reset()
		}
	}
	return blocks
}
