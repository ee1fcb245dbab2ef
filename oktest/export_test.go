package oktest

// Signature lets the published vectors be checked, whose tokens no server
// hands out.
var Signature = func(params map[string][]string, secret string) string {
	return md5Hex(signedText(params, signedNames(params)) + secret)
}

// Demands lets the table of methods be checked.
var Demands = demands

// Implemented are the methods that oktest implements.
func Implemented() (names []string) {
	for name := range methods {
		names = append(names, name)
	}
	return names
}

func (d demand) Session() string { return string(d.session) }
