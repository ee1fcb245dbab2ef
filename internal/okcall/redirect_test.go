package okcall

import (
	"net/http"
	"testing"
)

// A host that is not one of Hosts must not redirect to a call, at whatever step.
func TestCheckRedirects(t *testing.T) {
	hosts, err := ParseHosts([]string{"api.ok.ru", "localhost:8080"})
	if err != nil {
		t.Fatal(err)
	}
	const text = " redirected to this call, and only Hosts (api.ok.ru, localhost:8080) may: it could make any call with your session; send the call as a request of its own if you mean it"
	for name, test := range map[string]struct {
		way  []string // the URLs of the requests before, the first one first; "": not known
		want string   // the host that is named
	}{
		"no redirect":        {nil, ""},
		"of Hosts":           {[]string{"https://api.ok.ru/a", "http://localhost:8080/b"}, ""},
		"another host":       {[]string{"https://evil.example/a"}, "https://evil.example"},
		"over plain http":    {[]string{"http://api.ok.ru/a"}, "http://api.ok.ru"},
		"another host first": {[]string{"https://evil.example:1/a", "https://api.ok.ru/b"}, "https://evil.example:1"},
		"another host last":  {[]string{"https://api.ok.ru/b", "https://evil.example/a"}, "https://evil.example"},
		"not known":          {[]string{""}, "an unknown host"},
	} {
		r := new(http.Request)
		for _, address := range test.way {
			resp := new(http.Response)
			if address != "" {
				r.URL = parse(t, address)
				resp.Request = r
			}
			r = &http.Request{Response: resp}
		}
		got, want := "", ""
		if err := hosts.CheckRedirects(r); err != nil {
			got = err.Error()
		}
		if test.want != "" {
			want = "okru: " + test.want + text
		}
		if got != want {
			t.Errorf("%s: CheckRedirects = %q, want %q", name, got, want)
		}
	}
	r := &http.Request{Response: &http.Response{Request: new(http.Request)}}
	if hosts.CheckRedirects(r) == nil {
		t.Error("a request without a URL may redirect to a call")
	}
}

// A call is not redirected to another host, and neither is what followed it.
func TestLeaves(t *testing.T) {
	hosts, err := ParseHosts([]string{"api.ok.ru"})
	if err != nil {
		t.Fatal(err)
	}
	const call, page, elsewhere = "https://api.ok.ru/fb.do", "https://api.ok.ru/page", "https://other.example/fb.do"
	for _, test := range []struct {
		to   string
		via  []string
		want bool
	}{
		{elsewhere, []string{call}, true},
		{elsewhere, []string{call, page}, true},
		{elsewhere, []string{page, call}, true},
		{"http://api.ok.ru/fb.do", []string{call}, true},
		{page, []string{call}, false},
		{elsewhere, []string{page}, false},
		{elsewhere, []string{elsewhere}, false},
		{elsewhere, nil, false},
	} {
		var via []*http.Request
		for _, address := range test.via {
			via = append(via, &http.Request{URL: parse(t, address)})
		}
		if got := hosts.Leaves(&http.Request{URL: parse(t, test.to)}, via); got != test.want {
			t.Errorf("to %s after %q: Leaves is %t, want %t", test.to, test.via, got, test.want)
		}
	}
}
