package transport_test

import (
	"os"
	"strings"
	"testing"

	"github.com/go-okru/okru/transport"
)

// catalogue returns the known methods of the API, in order.
func catalogue() ([]string, error) {
	text, err := os.ReadFile("../oktest/methods.tsv")
	if err != nil {
		return nil, err
	}
	var methods []string
	for line := range strings.Lines(string(text)) {
		if method, _, ok := strings.Cut(line, "\t"); ok && !strings.HasPrefix(line, "#") {
			methods = append(methods, method)
		}
	}
	return methods, nil
}

func isSafe(t testing.TB, method string) bool {
	t.Helper()
	r := newGet(t, t.Context(), "https://api.ok.ru/fb.do?method="+method)
	return transport.Retryable(transport.Attempt{N: 1, Request: r, Err: errBroken})
}

func TestSafeMethods(t *testing.T) {
	for method, want := range map[string]bool{
		"users.getInfo":          true,
		"friends.get":            true,
		"stream.isSubscribed":    true,
		"users.hasAppPermission": true,
		"places.searchNear":      true,
		"groups.find":            true,
		"getInfo":                true,
		"a.b.getInfo":            true,
		"users.getV2":            true,

		"video.getUploadUrl":    false,
		"photosV2.getUploadUrl": false,
		"search.quick":          false, // a group is no verb
		"get.all":               false,
		"users.getter":          false,
		"users.isolate":         false,
		"users.hash":            false,
		"users.findings":        false,
		"users.get_info":        false,
		"users.get2":            false,
		"users.GetInfo":         false,
		"users.forget":          false,
		"friends.areFriends":    false,
		"stream.publish":        false,
		"batch.execute":         false,
		"users.":                false,
		".":                     false,
		"":                      false,
	} {
		if got := isSafe(t, method); got != want {
			t.Errorf("%q is safe to repeat: %v, want %v", method, got, want)
		}
	}
}

// No method whose name shows that it changes something is among the safe ones.
// The rule knows the verbs of reading; this knows those of writing.
func TestSafeMethodsOnlyRead(t *testing.T) {
	methods, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	if len(methods) < 190 {
		t.Fatalf("the catalogue has %d methods, want about 200", len(methods))
	}
	safe := 0
	for _, method := range methods {
		if !isSafe(t, method) {
			continue
		}
		safe++
		name := strings.ToLower(method[strings.IndexByte(method, '.')+1:])
		for _, verb := range []string{"add", "delete", "edit", "set", "post", "publish", "send", "create", "remove",
			"update", "join", "mark", "pin", "stop", "start", "commit", "upload", "reorder", "login", "report"} {
			if strings.HasPrefix(name, verb) || verb == "upload" && strings.Contains(name, verb) {
				t.Errorf("%s is safe to repeat, though it says %s", method, verb)
			}
		}
	}
	if safe < 90 {
		t.Errorf("%d safe methods in the catalogue, want more than 90", safe)
	}
}
