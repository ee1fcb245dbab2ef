package okcall

import (
	"net/url"
	"strings"
	"testing"
)

func parse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestIsCall(t *testing.T) {
	hosts, err := ParseHosts([]string{"api.ok.ru", "Gateway.example:8443", "127.0.0.1:8080", "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"https://api.ok.ru/fb.do":                      true,
		"https://api.ok.ru/fb.do?method=a.b":           true,
		"https://api.ok.ru/api/users/getInfo":          true,
		"https://API.OK.RU:443/fb.do":                  true,
		"http://api.ok.ru/fb.do":                       true, // Check returns an error
		"https://api.ok.ru./fb.do":                     true,
		"https://API.ok.ru.:443/api/users/getInfo":     true,
		"https://api.ok.ru../fb.do":                    false,
		"https://gateway.example:8443/fb.do":           true,
		"http://127.0.0.1:8080/api/users/getInfo":      true,
		"https://127.0.0.1:8080/fb.do":                 true,
		"http://localhost/fb.do":                       true,
		"http://localhost:80/fb.do":                    true,
		"https://localhost:443/fb.do":                  true,
		"http://localhost:443/fb.do":                   false,
		"https://localhost:80/fb.do":                   false,
		"https://api.ok.ru/graph/me/chats?count=1":     true,
		"https://api.ok.ru/graph/chat:C1/messages":     true,
		"https://gateway.example:8443/graph/me":        true,
		"https://api.ok.ru/graph/":                     false,
		"https://api.ok.ru/graph":                      false,
		"https://api.ok.ru/graphs/me":                  false,
		"https://other.example/graph/me/chats":         false,
		"https://gateway.example/fb.do":                false,
		"http://127.0.0.1:8081/fb.do":                  false,
		"https://www.api.ok.ru/fb.do":                  false,
		"https://ok.ru/fb.do":                          false,
		"https://api.ok.ru.evil.example/fb.do":         false,
		"https://api.ok.ru@evil.example/fb.do":         false,
		"https://evil.example/fb.do?https://api.ok.ru": false,
		"ftp://api.ok.ru/fb.do":                        false,
		"https://api.ok.ru/":                           false,
		"https://api.ok.ru/oauth/token.do":             false,
		"https://api.ok.ru/api/users.getInfo":          false,
		"https://api.ok.ru/api/users/getInfo/":         false,
		"https://api.ok.ru/api/users/get.Info":         false,
		"https://api.ok.ru/api//getInfo":               false,
		"https:api.ok.ru/fb.do":                        false,
		"/fb.do":                                       false,
	} {
		if got := hosts.IsCall(parse(t, address)); got != want {
			t.Errorf("IsCall(%s) = %t", address, got)
		}
	}
	if hosts.IsCall(nil) || hosts.Check(nil) != nil {
		t.Error("a nil URL is a call")
	}
}

func TestCheck(t *testing.T) {
	hosts, _ := ParseHosts([]string{"gateway.example", "localhost:8080"})
	const (
		plain   = "a call over plain http would show its session to anyone on the way; use https://gateway.example"
		unclear = " is not a path of the API; write /fb.do?method=GROUP.NAME or /api/GROUP/NAME"
	)
	for address, want := range map[string]string{
		"https://gateway.example/fb.do":              "",
		"https://gateway.example/api/users/getInfo":  "",
		"https://gateway.example/graph/me/chats":     "",
		"https://gateway.example/oauth/token.do":     "",
		"https://gateway.example/apiary":             "",
		"https://gateway.example/":                   "",
		"https://gateway.example":                    "",
		"http://gateway.example/oauth/x":             "",
		"http://localhost:8080/fb.do":                "",
		"http://localhost:8080/graph/me/chats":       "",
		"https://api.ok.ru/api/users.getInfo":        "", // not one of the hosts
		"http://localhost:8081/fb.do/":               "",
		"http://gateway.example/fb.do":               plain,
		"http://gateway.example:8080/graph/me":       plain,
		"http://gateway.example/fb.do/":              plain,
		"https://gateway.example/api/users.getInfo":  "/api/users.getInfo is not a path of the API; write /api/users/getInfo",
		"https://gateway.example/api/users/getInfo/": "/api/users/getInfo/ is not a path of the API; write /api/users/getInfo",
		"http://localhost:8080/api/users.getInfo":    "/api/users.getInfo is not a path of the API; write /api/users/getInfo",
		"https://gateway.example/fb.do/":             "/fb.do/ is not a path of the API; write /fb.do",
		"https://gateway.example/FB.do":              "/FB.do is not a path of the API; write /fb.do",
		"https://gateway.example/Api/users/getInfo":  "/Api/users/getInfo is not a path of the API; write /api/users/getInfo",
		"https://gateway.example//Graph//me/chats":   "//Graph//me/chats is not a path of the API; write /graph/me/chats",
		"https://gateway.example/fb.do/x":            "/fb.do/x" + unclear,
		"https://gateway.example./fb.do/":            "/fb.do/ is not a path of the API; write /fb.do",
		"https://gateway.example/fb.do;jsession=1":   "/fb.do;jsession=1" + unclear,
		"https://gateway.example/fb.do%20":           "/fb.do%20" + unclear,
		"https://gateway.example/./fb.do":            "/./fb.do is not a path of the API; write /fb.do",
		"https://gateway.example/x/../api/a/b":       "/x/../api/a/b is not a path of the API; write /api/a/b",
		"https://gateway.example/..":                 "",
		"https://gateway.example/Graph":              "/Graph" + unclear,
		"https://gateway.example/Graph/me":           "/Graph/me is not a path of the API; write /graph/me",
		"https://gateway.example/api/a":              "/api/a" + unclear,
		"https://gateway.example/api/a.b.c":          "/api/a.b.c" + unclear,
		"https://gateway.example/api/a.":             "/api/a." + unclear,
		"https://gateway.example/graph/":             "/graph/" + unclear,
		"https://gateway.example/api/..%2Ffb.do":     "/api/..%2Ffb.do is not a path of the API; write /fb.do",
	} {
		got := ""
		if err := hosts.Check(parse(t, address)); err != nil {
			got = strings.TrimPrefix(err.Error(), "okru: ")
		}
		if got != want {
			t.Errorf("Check(%s) = %q, want %q", address, got, want)
		}
	}
}

func TestEndpoint(t *testing.T) {
	for addresses, want := range map[string]string{
		"":                         "https://api.ok.ru",
		"api.ok.ru":                "https://api.ok.ru",
		"Gateway.example:8443":     "https://gateway.example:8443",
		"127.0.0.1:8080 api.ok.ru": "http://127.0.0.1:8080",
		"api.ok.ru 127.0.0.1:8080": "https://api.ok.ru",
		"[::1]:9":                  "http://[::1]:9",
		"LOCALHOST":                "http://localhost",
	} {
		hosts, err := ParseHosts(strings.Fields(addresses))
		if err != nil || hosts.Endpoint() != want {
			t.Errorf("%q: %s, %v, want %s", addresses, hosts.Endpoint(), err, want)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.1.2.3": true, "::1": true,
		"": false, "128.0.0.1": false, "8.8.8.8": false, "::2": false, "localhost.example": false, "127.0.0.1.example": false,
	} {
		if got := IsLoopback(host); got != want {
			t.Errorf("IsLoopback(%q) = %t", host, got)
		}
	}
}

func TestHostsString(t *testing.T) {
	hosts, err := ParseHosts([]string{"api.ok.ru", "127.0.0.1:8080"})
	if got := hosts.String(); err != nil || got != "api.ok.ru, 127.0.0.1:8080" {
		t.Errorf("String() = %q, %v", got, err)
	}
}

// All faults are reported at once, and the Hosts can be used all the same.
func TestParseHostsJoinsFaults(t *testing.T) {
	hosts, err := ParseHosts([]string{"https://a.example", "good.example", "b.example/path", "", "[::1"})
	if err == nil || strings.Count(err.Error(), "is not a host") != 4 || strings.Contains(err.Error(), "good.example") {
		t.Errorf("the error is %v", err)
	}
	if hosts != Default {
		t.Errorf("the hosts are %v", hosts)
	}
}

// Every address that Check accepts as a call is one, and whatever begins like a
// call on a host is either a call or rejected.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"/fb.do", "/api/users/getInfo", "/api/users.getInfo", "//api/x/y", "/graph/me", "/Fb.do/x", "/api/%2e/x", "/apix"} {
		f.Add("https", seed)
		f.Add("http", seed)
	}
	f.Fuzz(func(t *testing.T, scheme, path string) {
		u, err := url.Parse(scheme + "://api.ok.ru" + path)
		if err != nil || u.Host != "api.ok.ru" || u.Scheme != "http" && u.Scheme != "https" {
			return
		}
		err = Default.Check(u)
		switch isCall := Default.IsCall(u); {
		case !beginsLikeCall(u.Path) && (isCall || err != nil):
			t.Errorf("%s: a call is %t, error %v", u, isCall, err)
		case beginsLikeCall(u.Path) && err == nil && (!isCall || u.Scheme == "http"):
			t.Errorf("%s passes and is no call over https", u)
		}
	})
}
