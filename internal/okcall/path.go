package okcall

// This file has the paths of calls, those that look like calls and are none, and
// the hint at the spelling that was meant.

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// A Kind is which API a request calls.
type Kind uint8

const (
	NoCall Kind = iota // none
	REST
	Graph // of group bots
)

// kindOf returns which API has path, on any host. The REST API has two: /fb.do,
// where a parameter names the method, and /api/GROUP/NAME.
func kindOf(path string) Kind {
	if path == "/fb.do" { // nearly all calls
		return REST
	}
	return kindOfOther(path)
}

// kindOfOther is kindOf for any path but /fb.do.
func kindOfOther(path string) Kind {
	if _, _, ok := splitPath(path); ok {
		return REST
	}
	if IsGraphPath(path) {
		return Graph
	}
	return NoCall
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

// IsGraphPath reports whether path is one of the Graph API of group bots, such
// as /graph/me/chats.
func IsGraphPath(path string) bool {
	return strings.HasPrefix(path, "/graph/") && len(path) > len("/graph/")
}

// IsLongPoll reports whether path is the one of the Graph API at which a
// response waits for an event.
func IsLongPoll(path string) bool {
	return IsGraphPath(path) && strings.HasSuffix(strings.TrimSuffix(path, "/"), "/updates")
}

// graphMethod returns the method of the Graph API that path names: without the
// slash at its beginning and the one that may be at its end, and with {id} for
// each segment that has anything but letters.
func graphMethod(path string) string {
	path = strings.Trim(path, "/")
	if !strings.ContainsFunc(path, isIDRune) {
		return path
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if segment == "" || strings.ContainsFunc(segment, isIDRune) {
			segments[i] = "{id}"
		}
	}
	return strings.Join(segments, "/")
}

// isIDRune reports whether only ids have r, and no name in a path of the Graph
// API.
func isIDRune(r rune) bool {
	return r != '/' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// beginsLikeCall reports whether a path begins like that of an API call, in lower
// case or not, as a server may read it: without empty segments and dots.
func beginsLikeCall(p string) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(path.Clean("/"+p), "/"), "/")
	first = strings.ToLower(first)
	return first == "api" || first == "graph" || strings.HasPrefix(first, "fb.do")
}

// misspelled returns the error of a request to u, whose path begins like that
// of a call and is not one.
func misspelled(u *url.URL) error {
	if path := correct(u.Path); path != "" {
		return fmt.Errorf("okru: %s is not a path of the API; write %s", u.EscapedPath(), path)
	}
	return fmt.Errorf("okru: %s is not a path of the API; write /fb.do?method=GROUP.NAME or /api/GROUP/NAME", u.EscapedPath())
}

// correct returns the path that was meant by p, or "" if that is unknown.
func correct(p string) string {
	segments := strings.Split(strings.TrimLeft(path.Clean("/"+p), "/"), "/")
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
