package docs

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// README quotes the figures of the soak: the sums of its two runs.
func TestFiguresOfTheSoak(t *testing.T) {
	atRoot(t)
	runs := []string{readDoc(t, "test/chaos/results.md"), readDoc(t, "test/chaos/results-http2.md")}
	for _, page := range []struct{ name, separator string }{{"README.md", ","}, {"README.ru.md", " "}} {
		text := strings.Join(strings.Fields(readDoc(t, page.name)), " ")
		for _, row := range []string{"calls", "writes that ran", "writes whose response the client got", "texts searched for secrets"} {
			if sum := grouped(sumOf(t, row, runs), page.separator); !strings.Contains(text, sum) {
				t.Errorf("%s does not have the sum of %q: %s", page.name, row, sum)
			}
		}
	}
}

// sumOf adds up a row of tables.
func sumOf(t *testing.T, row string, tables []string) (sum int) {
	t.Helper()
	for _, table := range tables {
		m := regexp.MustCompile(`(?m)^\| ` + row + ` \| (\d+) \|$`).FindStringSubmatch(table)
		if m == nil {
			t.Fatalf("there is no row %q", row)
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// grouped writes n with a separator between thousands.
func grouped(n int, separator string) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + separator + text[i:]
	}
	return text
}
