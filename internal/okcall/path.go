package okcall

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// isCallPath reports whether path is one of the two of the REST API: /fb.do,
// where a parameter names the method, or /api/GROUP/NAME.
func isCallPath(path string) bool {
	if path == "/fb.do" {
		return true
	}
	_, _, ok := splitPath(path)
	return ok
}

// splitPath splits /api/GROUP/NAME.
func splitPath(path string) (group, name string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/api/")
	if !ok {
		return "", "", false
	}
	group, name, ok = strings.Cut(rest, "/")
	return group, name, ok && group != "" && name != "" && !strings.ContainsAny(name, "/.") && !strings.Contains(group, ".")
}

// isGraphPath reports whether path is one of the Graph API of group bots.
func isGraphPath(path string) bool {
	return strings.HasPrefix(path, "/graph/") && len(path) > len("/graph/")
}

// beginsLikeCall reports whether the first segment of path that is not empty
// is that of an API call, in lower case or not.
func beginsLikeCall(path string) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
	return strings.EqualFold(first, "fb.do") || strings.EqualFold(first, "api") || strings.EqualFold(first, "graph")
}

// misspelled returns the error of a request to u, whose path begins like that
// of a call and is not one.
func misspelled(u *url.URL) error {
	if path := correct(u.Path); path != "" {
		return fmt.Errorf("okru: %s is not a path of the API; write %s", u.EscapedPath(), path)
	}
	return fmt.Errorf("okru: %s is not a path of the API; write /fb.do?method=GROUP.NAME or /api/GROUP/NAME", u.EscapedPath())
}

// correct returns the path that was meant by path, or "" if that is unknown.
func correct(path string) string {
	segments := slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" })
	rest := segments[1:]
	switch first := strings.ToLower(segments[0]); {
	case first == "fb.do" && len(rest) == 0:
		return "/fb.do"
	case first == "graph" && len(rest) > 0:
		return "/graph/" + strings.Join(rest, "/")
	case first != "api":
		return ""
	}
	method := strings.Split(strings.Join(rest, "."), ".")
	if len(method) != 2 || slices.Contains(method, "") {
		return ""
	}
	return "/api/" + method[0] + "/" + method[1]
}
