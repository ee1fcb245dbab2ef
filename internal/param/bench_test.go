package param

import "testing"

// BenchmarkList does what signing does with the parameters of a usual call, as
// people write them and as url.Values does.
func BenchmarkList(b *testing.B) {
	for _, test := range []struct{ name, query string }{
		{"plain", "method=users.getInfo&uids=1234567890,2345678901&fields=uid,name&format=json&__online=false"},
		{"escaped", "__online=false&fields=uid%2Cname&format=json&method=users.getInfo&uids=1234567890%2C2345678901"},
	} {
		var l List
		_ = l.Parse("application_key=ABCDEFGHIGKLMNOPK", false)
		l.Fix()
		var text []byte
		run := func(name string, f func()) {
			b.Run(test.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
		parse := func() {
			l.Reset()
			l.AddFixed(0, false)
			_ = l.Parse(test.query, false)
		}
		run("Parse", parse)
		run("Parse and Sort", func() { parse(); l.Sort() })
		run("AppendSigned", func() { text = l.AppendSigned(text[:0]) })
		run("AppendText", func() { text = l.AppendText(text[:0], false) })
	}
}
