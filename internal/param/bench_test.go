package param

import "testing"

// BenchmarkList does what signing does with the parameters of the usual call.
func BenchmarkList(b *testing.B) {
	const query = "method=users.getInfo&uids=1234567890,2345678901&fields=uid,name&format=json&__online=false"
	var l List
	_ = l.Parse("application_key=ABCDEFGHIGKLMNOPK&format=json", false)
	l.Fix()
	var text []byte
	run := func(name string, f func()) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(query)))
			for b.Loop() {
				f()
			}
		})
	}
	parse := func() {
		l.Reset()
		l.AddFixed(0, false)
		_ = l.Parse(query, false)
	}
	run("Parse", parse)
	run("Parse and Sort", func() { parse(); l.Sort() })
	run("AppendSigned", func() { text = l.AppendSigned(text[:0]) })
	run("AppendText", func() { text = l.AppendText(text[:0], false) })
}
