package main

import (
	"errors"
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
//
// README.ru.md has only the figures of a section, in Russian notation:
//
//	<!-- figures of results.md: In a sentence -->
var pages = []string{"../../README.md", "../../README.ru.md", "../../docs/performance.md"}

var (
	quoted = regexp.MustCompile(`(?s)(<!-- (?:figures of )?results\.md: ([^\n]*) -->\n)(.*?)(<!-- end -->)`)
	figure = regexp.MustCompile(`\d+(?:[\x{a0},.]\d+)*`)
)

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
func quote(page, results string) (string, error) {
	var faults []error
	text := quoted.ReplaceAllStringFunc(page, func(old string) string {
		part := quoted.FindStringSubmatch(old)
		begin, title, text, end := part[1], part[2], part[3], part[4]
		found := section(results, title)
		switch {
		case found == "":
			faults = append(faults, fmt.Errorf("results.md has no section %q", title))
		case strings.HasPrefix(begin, "<!-- figures"):
			var err error
			text, err = withFigures(text, found)
			faults = append(faults, err)
		default:
			text = "\n" + found + "\n"
		}
		return begin + text + end
	})
	return text, errors.Join(faults...)
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

// withFigures returns text with the figures of a section, which must be as many.
func withFigures(text, section string) (string, error) {
	figures := figure.FindAllString(section, -1)
	if n := len(figure.FindAllString(text, -1)); n != len(figures) {
		return text, fmt.Errorf("%d figures, and %d in results.md: %s", n, len(figures), section)
	}
	inRussian := strings.NewReplacer(",", "\u00a0", ".", ",")
	return figure.ReplaceAllStringFunc(text, func(string) string {
		next := inRussian.Replace(figures[0])
		figures = figures[1:]
		return next
	}), nil
}
