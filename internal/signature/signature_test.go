package signature

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"testing"
)

// Hex against the package that makes digits the usual way.
func TestHex(t *testing.T) {
	for i := range 1000 {
		text := fmt.Append(nil, i)
		sum := md5.Sum(text)
		if got, want := Hex(text), hex.EncodeToString(sum[:]); got != want {
			t.Errorf("Hex(%q) = %s; want %s", text, got, want)
		}
	}
	for _, text := range []string{"", "d41d8cd98f00b204e9800998ecf8427e"} {
		if got := string(AppendHex([]byte("sig="), []byte(text))); got != "sig="+Hex([]byte(text)) {
			t.Errorf("AppendHex(sig=, %q) = %q", text, got)
		}
	}
}

func TestEightDigits(t *testing.T) {
	for b := range 256 { // each byte at each place
		for shift := 0; shift < 32; shift += 8 {
			x := uint32(b) << shift
			var got [8]byte
			binary.BigEndian.PutUint64(got[:], eightDigits(x))
			if want := fmt.Sprintf("%08x", x); string(got[:]) != want {
				t.Errorf("eightDigits(%#x) = %q; want %q", x, got, want)
			}
		}
	}
}

// BenchmarkDigits makes the digits of a sum in the usual way and in ours.
func BenchmarkDigits(b *testing.B) {
	sum := md5.Sum(nil)
	var out [2 * md5.Size]byte
	b.Run("eight at once", func(b *testing.B) {
		for b.Loop() {
			out = digits(&sum)
		}
	})
	b.Run("encoding/hex", func(b *testing.B) {
		for b.Loop() {
			hex.Encode(out[:], sum[:])
		}
	})
}
