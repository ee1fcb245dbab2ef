package redact

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// hostile are texts and secrets of n bytes each that make naive algorithms
// slow.
var hostile = []struct {
	name   string
	text   func(n int) string
	secret func(n int) string
}{
	{"plain", fill("An error message. "), fill("0123456789abcdef")},
	{"ampersands", fill("&amp;"), same("canary/token+1")},
	{"nested ampersands", fill("amp;", "&"), same("canary/token+1")},
	{"percent", fill("%25"), same("canary/token+1")},
	{"nested percent", fill("25", "%"), same("canary/token+1")},
	{"backslashes", fill(`\`), same("canary/token+1")},
	{"backslashes, then percent", halves(`\`, "%25"), same("canary/token+1")},
	{"surrogates", fill(`\ud83d`), same("canary/token+1")},
	{"secret of symbols", fill("PARAM"), fill("-", "PARAM")},
	{"secret of escapes", fill("%2F"), fill("%252F")},
	{"same beginning", fill("abcdef"), ending("abcdef", "X")},
	{"periodic", fill("a"), ending("a", "b")},
	{"periodic, in small", fill("a"), same("aaaaaaab")},
	{"found everywhere", fill("a"), same("aaaaaa")},
	{"two starts per character", fill("%61a"), ending("a", "b")},
	{"Fibonacci", fibonacci, fibonacci},
	{"names", fill("sig="), same("canary/token+1")},
	{"separators", fill(`"":`), same("canary/token+1")},
	{"quotes", fill(`sig="`), same("canary/token+1")},
	{"spaces", fill(" ", `"sig":`), same("canary/token+1")},
}

func fill(part string, first ...string) func(int) string {
	return func(n int) string {
		return (strings.Join(first, "") + strings.Repeat(part, n/len(part)+1))[:n]
	}
}

func same(text string) func(int) string { return func(int) string { return text } }

func ending(part, last string) func(int) string {
	return func(n int) string { return fill(part)(n/2) + last }
}

func halves(a, b string) func(int) string {
	return func(n int) string { return fill(a)(n/2) + fill(b)(n-n/2) }
}

// fibonacci returns the text that needs most steps back.
func fibonacci(n int) string {
	a, b := "a", "ab"
	for len(b) < n {
		a, b = b, b+a
	}
	return b[:n]
}

// No text and no secret takes long or panics. What takes quadratic time takes
// seconds here.
func TestHostile(t *testing.T) {
	const size, most = 64 << 10, time.Second // 5 ms on a machine that does nothing else
	for _, h := range hostile {
		secrets, text := Secrets{h.secret(size)}, h.text(size)
		start := time.Now()
		clean := secrets.Clean(text)
		if strings.Contains(clean, secrets[0]) {
			t.Errorf("%s: shows the secret", h.name)
		}
		if secrets.Mask([]byte(text)) != secrets.In(text) {
			t.Errorf("%s: Mask and In differ", h.name)
		}
		secrets.Straddle(text)
		Page(text)
		if took := time.Since(start); took > 5*most {
			t.Errorf("%s: takes %v", h.name, took)
		}
	}
}

// A secret of any length and any bytes can be searched for.
func TestSecretsOfEveryKind(t *testing.T) {
	for _, secret := range []string{
		"PARAM" + strings.Repeat("-", 100_000), strings.Repeat("(", 100_000), strings.Repeat("\\Q", 1000), strings.Repeat("\xff", 1000),
		strings.Repeat("я", 50_000), strings.Repeat("%25", 50_000), strings.Repeat(`\`, 1000), strings.Repeat("&amp;", 1000) + "canary",
	} {
		for _, text := range []string{secret, "a " + secret + " z", secret[:len(secret)/2], secret + secret[:1]} {
			if got, want := (Secrets{secret}).In(text), strings.Contains(text, secret); got != want {
				t.Errorf("In(%.20q of %d bytes) = %t with %.20q", text, len(text), got, secret)
			}
		}
	}
}

var sizes = []int{1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20}

// The time per byte is the same for all sizes.
func BenchmarkClean(b *testing.B)    { benchmark(b, func(s Secrets, text string) { s.Clean(text) }) }
func BenchmarkMask(b *testing.B)     { benchmark(b, func(s Secrets, text string) { s.Mask([]byte(text)) }) }
func BenchmarkStraddle(b *testing.B) { benchmark(b, func(s Secrets, text string) { s.Straddle(text) }) }
func BenchmarkText(b *testing.B)     { benchmark(b, func(_ Secrets, text string) { Text(text) }) }
func BenchmarkPage(b *testing.B)     { benchmark(b, func(_ Secrets, text string) { Page(text) }) }

func benchmark(b *testing.B, run func(Secrets, string)) {
	for _, h := range hostile {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%s/%d", h.name, size), func(b *testing.B) {
				secrets, text := Secrets{h.secret(size)}, h.text(size)
				for b.Loop() {
					run(secrets, text)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size), "ns/byte")
			})
		}
	}
}
