package redact

import "testing"

// What is overwritten by what, in JSON, in XML and in neither.
func TestMask(t *testing.T) {
	for _, test := range []struct{ secret, text, want string }{
		{"secret-1", "a secret-1 b", "a ******** b"},
		{"      ", "      ", "******"},
		{"secret-1", `{"a":"secret-1"}`, `{"a":"********"}`},
		{"secret-1", "\ufeff \t\r\n[\"secret-1\"]", "\ufeff \t\r\n[\"********\"]"},
		{`1","secret`, "\ufeff \t\r\n[\"1\",\"secret\"]", "\ufeff \t\r\n[\"*\",\"******\"]"},
		{"secret<1", "a secret<1 b", "a ******** b"},
		{"73ecret", `["\u0073ecret"]`, `["***********"]`},
		{"901209", `[901209,"901209"]`, `[111111,"******"]`},
		{"901209", `[901209`, `[111111`},
		{"secret-1", `"secret-1"`, `"********"`},
		{"secret/1", `["secret\/1"]`, `["*********"]`},
		{"secret/1", `["\u0073ecret/1","x"]`, `["*************","x"]`},
		{"123456", `{"n":123456,"m":-12345.6e7}`, `{"n":111111,"m":-12345.6e7}`},
		{"-1.5e+07", `[-1.5e+07]`, `[-1.1e+11]`},
		{"secret-1", `[secret-1]`, `[********]`},
		{`null,"b"`, `{"a":null,"b":1}`, `{"a":null,"*":1}`},
		{`true,false`, `[true,false]`, `[true,false]`},
		{`nullable`, `[nullable]`, `[********]`},

		{"secret-1", "<a>secret-1</a>", "<a>********</a>"},
		{"secret-1", "<a b='secret-1'>x</a>", "<a b='********'>x</a>"},
		{"secret-1", "<a b=secret-1 c>x</a>", "<a b=******** c>x</a>"},
		{"secret-1", "<secret-1/>", "<xxxxxxxx/>"},
		{"секрет", "<секрет>", "<xxxxxxxxxxxx>"},
		{"secret&1", "<a>secret&amp;1</a>", "<a>************</a>"},
		{"secret-1", "<a><!--secret-1--></a>", "<a><!--******-*--></a>"},
		{"secret-1", "<a><![CDATA[secret-1]]></a>", "<a><![CDATA[********]]></a>"},
		{"secret-1", "<a><!---->secret-1</a>", "<a><!---->********</a>"},
		{"secret-1", "<a>secret-1; &amp;secret-1&amp;</a>", "<a>********; &amp;********&amp;</a>"},
		{"secret-1", "<a b=1 secret-1=2 c='3'secret-1>", "<a b=1 xxxxxxxx=2 c='3'xxxxxxxx>"},
		{"secret\U0010FFFF", "<a>secret&#x0010FFFF;</a>", "<a>******************</a>"},
		{"abc&;def", "<a>abc&;def</a>", "<a>********</a>"},
		{"ab&cdef", "<a>ab&cdef</a>", "<a>**&****</a>"},
		{";secret", "<a>&amp;secret</a>", "<a>***********</a>"},
		{"x>secret", "<ax>secret</ax>", "<ax>******</ax>"},
		{"<!--secret", "<a><!--secret--></a>", "<a><!--******--></a>"},
		{"<![CDATA[secret", "<a><![CDATA[secret]]></a>", "<a><![CDATA[******]]></a>"},
		{"sec<r>t-1", "<a><![CDATA[sec<r>t-1]]></a>", "<a><![CDATA[*****>***]]></a>"},
		{"attr=1", "<attr=1", "<xxxx=*"},

		// cut off
		{"secret-1", `["\nsecret-1`, `["\n********`},
		{"secret-1", `["secret-1\`, `["********\`},
		{"secret-1", `["secret-1\n`, `["********\n`},
		{"secret-1", `["secret-1\u00`, `["********\u00`},
		{"secret-1", `[secret-1`, `[********`},
		{"secret-1", "<a><!--secret-1", "<a><!--******-*"},
		{"secret-1", `<a b="secret-1`, `<a b="********`},
		{"secret-1", `<a b=secret-1`, `<a b=********`},
		{"secret-1", `<secret-1=`, `<xxxxxxxx=`},
		{"secret-1", `<a>secret-1&am`, `<a>********&am`},
	} {
		text := []byte(test.text)
		if changed := (Secrets{test.secret}).Mask(text); string(text) != test.want || changed != (test.want != test.text) {
			t.Errorf("Mask(%q) makes %q and returns %t, want %q", test.text, text, changed, test.want)
		}
		if again := (Secrets{test.secret}).Mask(text); again || string(text) != test.want {
			t.Errorf("Mask(%q) changes it to %q", test.want, text)
		}
	}
}
