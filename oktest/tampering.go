package oktest

import (
	"iter"
	"maps"
	"net/url"
	"slices"
)

// Tamperings returns copies of parameters that OK has signed, each changed in a
// way that a program must reject, and the names of the changes, such as "second
// amount". For every parameter there are copies with another value, without the
// parameter, and with a second value before or after the right one; there are
// copies with other and without signatures, and with parameters that the
// signature of an API call leaves out.
//
// Send a changed payment by [Server.Pay], a changed launch by a GET of the page:
//
//	for name, params := range oktest.Tamperings(anna.Launch()) {
//		resp, err := http.Get(page + "?" + params.Encode())
//		…
//	}
//
// auth_sig, if there is one, proves the user and the session without sig, so
// that launch parameters without sig are not among the copies.
func Tamperings(signed url.Values) iter.Seq2[string, url.Values] {
	return func(yield func(string, url.Values) bool) {
		for _, t := range tamperings(signed) {
			params := cloneValues(signed)
			t.change(params)
			if !yield(t.name, params) {
				return
			}
		}
	}
}

// A tampering changes signed parameters.
type tampering struct {
	name   string
	change func(url.Values)
}

func tamperings(signed url.Values) []tampering {
	all := []tampering{
		{"empty sig", func(p url.Values) { p.Set("sig", "") }},
		{"forged sig", func(p url.Values) { p.Set("sig", md5Hex("forged")) }},
		{"second sig", func(p url.Values) { p.Add("sig", md5Hex("forged")) }},
		{"sig of another application", func(p url.Values) { signAs(p, "the secret of another application") }},
		{"added resig", func(p url.Values) { p.Set("resig", "1") }},
		{"added access_token", func(p url.Values) { p.Set("access_token", "1") }},
		{"added unknown parameter", func(p url.Values) { p.Set("unknown", "1") }},
	}
	if !signed.Has("auth_sig") {
		all = append(all, tampering{"no sig", func(p url.Values) { p.Del("sig") }})
	}
	for _, name := range namesBut(signed, "sig") {
		all = append(all, tamperingsOf(name)...)
	}
	return all
}

// tamperingsOf returns the changes of one parameter.
func tamperingsOf(name string) []tampering {
	other := func(p url.Values) string { return "1" + p.Get(name) }
	return []tampering{
		{"another " + name, func(p url.Values) { p.Set(name, other(p)) }},
		{"no " + name, func(p url.Values) { p.Del(name) }},
		{"second " + name, func(p url.Values) { p.Add(name, other(p)) }},
		{"first " + name, func(p url.Values) { p[name] = append([]string{other(p)}, p[name]...) }},
	}
}

// namesBut returns the names of params except one, in order.
func namesBut(params url.Values, except string) []string {
	names := slices.Sorted(maps.Keys(params))
	return slices.DeleteFunc(names, func(name string) bool { return name == except })
}
