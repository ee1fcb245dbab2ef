package param

import (
	"bytes"
	"testing"
)

// scanSlowly is scan, one byte after another.
func scanSlowly(text []byte) (end, eq int, worst uint8) {
	eq = -1
	for end = 0; end < len(text) && kinds[text[end]] != ampersand; end++ {
		if kinds[text[end]] == equals && eq < 0 {
			eq = end
		}
		worst = max(worst, kinds[text[end]])
	}
	return end, eq, worst
}

func checkScan(t *testing.T, text []byte) {
	t.Helper()
	end, eq, worst := scan(text)
	wantEnd, wantEq, wantWorst := scanSlowly(text)
	if end != wantEnd || eq != wantEq || worst != wantWorst {
		t.Errorf("scan(%q) = %d, %d, %d; want %d, %d, %d", text, end, eq, worst, wantEnd, wantEq, wantWorst)
	}
}

// Every byte at every place of two words of eight and a rest.
func TestScan(t *testing.T) {
	for c := range 256 {
		for length := range 20 {
			for at := range length {
				text := bytes.Repeat([]byte("x"), length)
				text[at] = byte(c)
				checkScan(t, text)
			}
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, seed := range []string{"", "a=1&b=2", "method=users.getInfo&uids=1,2", "=&=&&", "a=%20+;\"#<>\x7f\x80\xff", "a;b", "ключ=значение&x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) { checkScan(t, text) })
}
