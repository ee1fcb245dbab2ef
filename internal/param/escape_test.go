package param

import (
	"bytes"
	"testing"
)

// Each byte at each place is seen for what it is, and without those next to it.
func TestOddBytes(t *testing.T) {
	for at := range 8 {
		for c := range 256 {
			text := bytes.Repeat([]byte("x"), 8)
			text[at] = byte(c)
			odd := oddBytes(text)
			if odd&^(0x80<<(8*at)) != 0 {
				t.Errorf("oddBytes(%q) = %#x; want nothing but byte %d", text, odd, at)
			}
			if (kinds[c] != plain || c == '&' || c == '=') && odd == 0 {
				t.Errorf("oddBytes(%q) = 0; want byte %d", text, at)
			}
		}
	}
}
