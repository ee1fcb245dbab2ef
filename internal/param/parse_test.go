package param

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// What has no escape stays where it is, and costs no more text than it has.
func TestParsePlain(t *testing.T) {
	const text = "=x=y&a=1&bb=&abcdefghij=k=l&flag"
	var l List
	if err := l.Parse(text, true); err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		key, value string
		plain      bool
	}{{"", "x=y", true}, {"a", "1", true}, {"bb", "", true}, {"abcdefghij", "k=l", true}, {"flag", "", false}} {
		p := &l.pairs[i]
		if key, value := string(l.Key(i)), string(l.Value(i)); key != want.key || value != want.value || p.plain != want.plain || !p.form {
			t.Errorf("parameter %d is %q=%q, plain %t, form %t; want %+v", i, key, value, p.plain, p.form, want)
		}
		if p.prefix != prefix([]byte(want.key + "........")[:len(want.key)]) {
			t.Errorf("parameter %d has the prefix %x", i, p.prefix)
		}
	}
	if got, want := len(l.text), len(text+tail+"flagflag="+tail); got != want || l.Len() != 5 {
		t.Errorf("%d parameters in %d bytes, want 5 in %d", l.Len(), got, want)
	}
}

// A prefix has the bytes of the key, and nothing of what follows it.
func TestPrefix(t *testing.T) {
	for n := range 10 {
		want := uint64(0)
		for i := range 8 {
			want <<= 8
			if i < n {
				want |= uint64('a' + i)
			}
		}
		key := append([]byte("abcdefghij")[:n:n], "\xff\xff\xff\xff\xff\xff\xff\xff"...)[:n]
		if got := prefix(key); got != want {
			t.Errorf("the prefix of %d bytes is %016x, want %016x", n, got, want)
		}
	}
}

// Each byte can be escaped, in upper and in lower case, in a name and in a value.
func TestEscapes(t *testing.T) {
	for c := range 256 {
		for _, format := range []string{"%%%02x", "%%%02X"} {
			escape := fmt.Sprintf(format, c)
			var l List
			if err := l.Parse("k"+escape+"="+escape+"v", false); err != nil {
				t.Fatal(err)
			}
			want := string([]byte{byte(c)})
			if key, value := string(l.Key(0)), string(l.Value(0)); key != "k"+want || value != want+"v" {
				t.Errorf("%s is %q in a name and %q in a value", escape, key, value)
			}
		}
		if strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
			continue
		}
		for _, value := range []string{"%0" + string([]byte{byte(c)}), "%" + string([]byte{byte(c)}) + "0", "%", "%0"} {
			if new(List).Parse("k="+value, false) == nil {
				t.Errorf("%q is an escape", value)
			}
		}
	}
}

// What must not be in a URL as it is.
func TestTravels(t *testing.T) {
	for c := range 256 {
		want := c > ' ' && c < 0x7f && !strings.ContainsRune(`"#<>`, rune(c))
		for _, query := range []string{string([]byte{byte(c)}), "a=" + string([]byte{byte(c)}) + "b"} {
			if got := Travels(query); got != want {
				t.Errorf("Travels(%q) = %t", query, got)
			}
		}
	}
}

// After Fix and after Reset a list is empty, and has no names.
func TestFixAndReset(t *testing.T) {
	l := newList()
	if l.Len() != 0 || l.Names() != 0 {
		t.Errorf("after Fix: %d parameters with the names %b", l.Len(), l.Names())
	}
	for range 2 {
		l.AddFixed(0, true)
		if err := l.Parse("method=a.b&sig=1", false); err != nil {
			t.Fatal(err)
		}
		if string(l.Key(0)) != ApplicationKey || !l.InForm(0) || l.Names() != IsMethod|IsSig || l.Find(IsSig) != 2 || l.Find(IsFormat) != -1 {
			t.Errorf("%d parameters with the names %b, the first one is %q", l.Len(), l.Names(), l.Key(0))
		}
		if l.Reset(); l.Len() != 0 || l.Names() != 0 {
			t.Errorf("after Reset: %d parameters with the names %b", l.Len(), l.Names())
		}
	}
}

// Size counts all memory of a list.
func TestSize(t *testing.T) {
	l := newList()
	if err := l.Parse(manyParameters(100), false); err != nil {
		t.Fatal(err)
	}
	l.Sort()
	want := cap(l.text) + cap(l.pairs)*int(unsafe.Sizeof(pair{})) + cap(l.order)*int(unsafe.Sizeof(l.order[0]))
	if got := l.Size(); got != want || got < len(manyParameters(100)) {
		t.Errorf("Size() = %d, want %d", got, want)
	}
}

// A form of very many parameters, in the worst order, takes no seconds to sort.
func TestSortManyParameters(t *testing.T) {
	var text strings.Builder
	const n = 150_000
	for i := range n {
		fmt.Fprintf(&text, "%06d=&", n-i)
	}
	var l List
	if err := l.Parse(text.String(), true); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if i := l.Sort(); i != -1 || string(l.Key(int(l.order[0]))) != "000001" {
		t.Errorf("parameter %d is a duplicate, %q is the first one", i, l.Key(int(l.order[0])))
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("%d parameters took %v", n, took)
	}
}

// A list keeps its order for the next call, unless a parameter was dropped.
func TestOrderIsKept(t *testing.T) {
	var l List
	for _, drop := range []bool{false, true, false} {
		l.Reset()
		if err := l.Parse("b=1&a=2&c=3", false); err != nil {
			t.Fatal(err)
		}
		if drop {
			l.Drop(1)
		}
		if i := l.Sort(); i != -1 {
			t.Errorf("parameter %d is a duplicate", i)
		}
		want := "[1 0 2]"
		if drop {
			want = "[0 2]"
		}
		if got := fmt.Sprint(l.order); got != want {
			t.Errorf("dropped %t: the order is %s, want %s", drop, got, want)
		}
		if drop {
			want = "[]"
		}
		if l.Reset(); fmt.Sprint(l.order) != want || l.dropped {
			t.Errorf("dropped %t: after Reset the order is %v, want %s", drop, l.order, want)
		}
	}
}
