package redact

import (
	"strings"
	"testing"
)

// What is an escape, what it stands for, and what only resembles one.
func TestDecoded(t *testing.T) {
	for text, want := range map[string]string{
		"%41%4a%4A%7e":                        "AJJ~",
		"%/1%:1%@1%G1":                        "%/1%:1%@1%G1",
		"%`1%g1%1%":                           "%`1%g1%1%",
		"%1@%1`%1G%1/":                        "%1@%1`%1G%1/",
		"%2541":                               "A",
		"%" + strings.Repeat("25", 15) + "41": "A",
		"%" + strings.Repeat("25", 16) + "41": "%41", // too deep
		"%d1%8f":                              "я",

		`\u0041\u044f\u20AC`:  "Aя€",
		`\xd1\x8f`:            "я",
		`\ud83d\ude00`:        "😀",
		`\uDBFF\uDFFF`:        "\U0010FFFF",
		`\ud800\udc00`:        "\U00010000",
		`\ud83d\u0041`:        "\xed\xa0\xbdA", // not a pair: each is read alone
		`\ude00\ud83d`:        "\xed\xb8\x80\xed\xa0\xbd",
		`\ud800\ue000`:        "\xed\xa0\x80\ue000",
		`\udc00\udc00`:        "\xed\xb0\x80\xed\xb0\x80",
		`\ud7ff\ue000`:        "\ud7ff\ue000", // the neighbours of surrogates
		`\udfff\udfff`:        "\xed\xbf\xbf\xed\xbf\xbf",
		`\ud83d\ue000`:        "\xed\xa0\xbd\ue000",
		`\U0001F600\x41`:      "😀A",
		`\u004 \U0001F60 \x4`: `u004 U0001F60 x4`,
		`\a\b\f\n\r\t\v`:      controls,
		`\"\\\/\q`:            `"/q`,

		"&amp;&lt;&gt;&quot;&apos;&AMP;": `&<>"'&`,
		"&#65;&#x41;&#X4a;&#x4A;":        "AAJJ",
		"&#128512;&#x0010FFFF;":          "😀\U0010FFFF",
		"&#x110000;&#99999999;":          "\ufffd\ufffd",
		"&#4a;&#;&#x;&#xg;&nbsp;&;":      "&#4a;&#;&#x;&#xg;&nbsp;&;",
		"&#x00010FFFF;":                  "&#x00010FFFF;", // longer than any that is needed
		"&amp;lt;":                       "<",
		"&#55357;":                       "\xed\xa0\xbd",
	} {
		if got, _ := decoded(text).text(); string(got) != want {
			t.Errorf("%q reads as %q, want %q", text, got, want)
		}
	}
}
