package okvcr_test

import (
	"encoding/json"
	"testing"

	"gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"

	"github.com/go-okru/okru/internal/test/canary"
)

// No secret that was on the wire is in the file, however it is escaped.
func TestNoSecretInCassette(t *testing.T) {
	x := recordAll(t, hook(), matcher())
	for name, text := range texts(t, x) {
		for _, secret := range x.secrets {
			if _, leaks := canary.Search(text, secret); leaks {
				t.Errorf("%s has the secret %q", name, secret)
			}
		}
	}
	if t.Failed() {
		t.Log(x.text(t))
	}
}

// Without the hook all of them are there: the test above can fail.
func TestSecretsInCassetteWithoutHook(t *testing.T) {
	x := recordAll(t, matcher())
	if len(x.secrets) < 40 {
		t.Errorf("only %d secrets were on the wire", len(x.secrets))
	}
	all := ""
	for _, text := range texts(t, x) {
		all += text
	}
	for _, secret := range x.secrets {
		if _, leaks := canary.Search(all, secret); !leaks {
			t.Errorf("the secret %q is not in the recording, so nothing was tested with it", secret)
		}
	}
}

// texts returns the recording as the file has it, which may break lines and
// encode, and each of its interactions as read back.
func texts(t *testing.T, x *tape) map[string]string {
	t.Helper()
	c, err := cassette.Load(x.file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"the file": x.text(t)}
	for _, i := range c.Interactions {
		text, err := json.Marshal(i)
		if err != nil {
			t.Fatal(err)
		}
		all[i.Request.Method+" "+i.Request.URL] = string(text) + i.Request.URL + i.Request.Body + i.Response.Body
	}
	return all
}
