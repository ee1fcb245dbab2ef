package param

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// sign does with a list what a Signer does.
func sign(l *List, query, form string) (signed, travels, twice string, err error) {
	l.Reset()
	l.AddFixed(0, form != "")
	if err := l.Parse(query, false); err != nil {
		return "", "", "", err
	}
	if err := l.Parse(form, true); err != nil {
		return "", "", "", err
	}
	for i := range l.Len() {
		if l.Name(i)&(IsSig|IsSession) != 0 {
			l.Drop(i)
		}
	}
	if i := l.Sort(); i >= 0 {
		return "", "", string(l.Key(i)) + " is a duplicate", nil
	}
	return string(l.AppendSigned(nil)), string(l.AppendText(nil, false)) + "|" + string(l.AppendText(nil, true)), "", nil
}

func newList() *List {
	l := new(List)
	_ = l.Parse("application_key=KEY", false)
	l.Fix()
	return l
}

// naive is what sign should return, by net/url.
func naive(query, form string) (signed, twice string) {
	first := map[string]string{"application_key": "KEY"}
	var repeated []string
	for _, text := range []string{query, form} {
		values, _ := url.ParseQuery(text)
		for key, all := range values {
			if key == Sig || key == AccessToken || key == SessionKey {
				continue
			}
			if _, before := first[key]; before || len(all) > 1 {
				repeated = append(repeated, key)
			}
			first[key] = all[0]
		}
	}
	if len(repeated) > 0 {
		return "", slices.Min(repeated) + " is a duplicate"
	}
	delete(first, Resig)
	for _, key := range slices.Sorted(maps.Keys(first)) {
		signed += key + "=" + first[key]
	}
	return signed, twice
}

// FuzzList signs two calls with one list. The second comes out as from a new
// list, and as net/url has it: nothing of the first is left, be it an order, a
// name or a call that failed half-way.
func FuzzList(f *testing.F) {
	for _, seed := range [][4]string{
		{"method=users.getInfo&uids=1,2&fields=uid", "", "method=users.getInfo&uids=3&fields=name", ""},
		{"b=1&a=2&c=3", "", "c=1&b=2&a=3", ""},
		{"b=1&a=2&sig=3&access_token=4", "", "c=1&b=2", ""},
		{"b=1&a=2&b=3", "", "a=1&b=2&c=3", ""},
		{"a=1&c=2&a=3", "", "b=1&d=2&b=3&d=4", ""},
		{"a=1&c=2&a=3", "", "b=1&d=2&b=3", ""},
		{"d=1&e=1&c=3&b=4", "", "d=1&d=2&b=3&b=4", ""},
		{"a=%zz", "", "a=1", ""}, {"a=1;b=2", "", "a=%3B&b", ""},
		{"method=a.b", "text=%D0%B4+x&sig=1", "method=a.b", "text=y&resig=2"},
		{"aaaaaaaab=1&aaaaaaaaa=2", "", "aaaaaaaac=1&aaaaaaaab=2&aaaaaaaa=3", ""},
		{"session_key=1&sessions=2&client_secret2=3", "applicationkey=1&access_tokens=2", "=1&x=", "%3D=2&%26=%26"},
		{strings.Repeat("k=1&", 3) + "q=\x01", "", "a=\xff&b=<>", "c=\"#"},
		{"a%62c=1&abc.=2&abcA=3&abc%2B=4&abc=5&ab%63%64=6", "", "a%62c=1&abcA=2&abc.=3", "ab=1&abcde%66gh=2&abcdefgh1=3&abcdefg=4"},
		{manyParameters(20), "", manyParameters(20) + "&a=1", manyParameters(3)},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, query1, form1, query2, form2 string) {
		used := newList()
		sign(used, query1, form1)
		signed, travels, twice, err := sign(used, query2, form2)
		signed2, travels2, twice2, err2 := sign(newList(), query2, form2)
		if signed != signed2 || travels != travels2 || twice != twice2 || (err == nil) != (err2 == nil) {
			t.Fatalf("after %q, %q a list makes of %q, %q:\n%q %q %q %v\na new one:\n%q %q %q %v",
				query1, form1, query2, form2, signed, travels, twice, err, signed2, travels2, twice2, err2)
		}
		_, queryErr := url.ParseQuery(query2)
		_, formErr := url.ParseQuery(form2)
		if (queryErr != nil || formErr != nil) != (err != nil) {
			t.Fatalf("%q, %q: %v; net/url says %v, %v", query2, form2, err, queryErr, formErr)
		}
		if err != nil {
			return
		}
		if want, wantTwice := naive(query2, form2); twice != wantTwice || signed != want {
			t.Fatalf("%q, %q: signed %q, %q; want %q, %q", query2, form2, signed, twice, want, wantTwice)
		}
		query, form, _ := strings.Cut(travels, "|")
		if !Travels(query + form) {
			t.Fatalf("%q, %q: %q cannot travel", query2, form2, travels)
		}
	})
}

func manyParameters(n int) string {
	var pairs []string
	for i := range n {
		pairs = append(pairs, strings.Repeat("p", i%11+1)+string(rune('a'+i))+"=1")
	}
	return strings.Join(pairs, "&")
}
