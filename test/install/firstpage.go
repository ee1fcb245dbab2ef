package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A firstPage is what README has a newcomer do: commands before and after a
// program is saved as main.go, and what it prints.
type firstPage struct{ before, program, after, output string }

var codeBlock = regexp.MustCompile("(?ms)^```(sh|go|text output)\n(.*?)^```$")

// readFirstPage returns the first program of a README, and what surrounds it.
func readFirstPage(readme string) (firstPage, error) {
	blocks := codeBlock.FindAllStringSubmatch(readme, 4)
	var kinds, texts []string
	for _, b := range blocks {
		kinds, texts = append(kinds, b[1]), append(texts, b[2])
	}
	if got := strings.Join(kinds, ", "); got != "sh, go, sh, text output" {
		return firstPage{}, fmt.Errorf("it begins with blocks of %s; want commands, a program, commands, and what it prints", got)
	}
	return firstPage{texts[0], texts[1], texts[2], texts[3]}, nil
}

// follow does what the page says, in an empty directory.
func (s stranger) follow(p firstPage) error {
	if err := os.MkdirAll(s.dir, 0o777); err != nil {
		return err
	}
	main := filepath.Join(s.dir, "main.go")
	if err := os.WriteFile(main, []byte(p.program), 0o666); err != nil {
		return err
	}
	out, err := s.run("bash", "-ec", p.before+"mv "+main+" .\n"+p.after)
	if err != nil {
		return err
	}
	if out != p.output {
		return fmt.Errorf("its program prints %q, want %q", out, p.output)
	}
	return nil
}
