package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// The pages that quote sections of results.md, each between two comments:
//
//	<!-- results.md: In short -->
//
//	…
//
//	<!-- end -->
var pages = []string{"../../README.md", "../../docs/performance.md"}

var quoted = regexp.MustCompile(`(?s)(<!-- results\.md: ([^\n]*) -->\n)(.*?)(<!-- end -->)`)

// updatePages writes the quoted sections of results into the pages.
func updatePages(results string) error {
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			return err
		}
		updated, err := quote(string(text), results)
		if err != nil {
			return fmt.Errorf("%s: %w", page, err)
		}
		if err := os.WriteFile(page, []byte(updated), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// quote returns the text of a page with the sections of results that it quotes.
func quote(page, results string) (text string, err error) {
	text = quoted.ReplaceAllStringFunc(page, func(old string) string {
		part := quoted.FindStringSubmatch(old)
		found := section(results, part[2])
		if found == "" {
			err = fmt.Errorf("results.md has no section %q", part[2])
		}
		return part[1] + "\n" + found + "\n" + part[4]
	})
	return text, err
}

// section returns a section of results, without its heading and its images, and
// "" if there is none.
func section(results, title string) string {
	_, text, found := strings.Cut(results, "\n## "+title+"\n")
	if !found {
		return ""
	}
	text, _, _ = strings.Cut(text, "\n## ")
	var out strings.Builder
	for line := range strings.Lines(strings.TrimSpace(text)) {
		if !strings.HasPrefix(line, "![") {
			out.WriteString(line)
		}
	}
	return strings.TrimSpace(out.String()) + "\n"
}
