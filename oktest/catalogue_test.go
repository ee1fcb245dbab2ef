package oktest_test

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

// What Methods returns is what the fake demands.
func TestCatalogue(t *testing.T) {
	list := oktest.Methods()
	if len(list) < 150 || !slices.IsSortedFunc(list, func(a, b oktest.Method) int { return cmp.Compare(a.Name, b.Name) }) {
		t.Fatalf("%d methods; some are missing, or they are not sorted", len(list))
	}
	srv := newServer(t)
	for _, m := range list {
		code := codeWithoutSession(t, srv, m.Name)
		needs := m.Session == "required" || m.Session == "external"
		if (code == okerrors.CodeSessionRequired) != needs {
			t.Errorf("%s without a session: code %v, and Session is %q", m.Name, code, m.Session)
		}
	}
}

func codeWithoutSession(t *testing.T, srv *oktest.Server, method string) okerrors.Code {
	t.Helper()
	form := url.Values{"application_key": {srv.App().Key}, "method": {method}}
	r, err := http.NewRequest(http.MethodGet, "https://api.ok.ru/fb.do?"+form.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := srv.InProcess().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	e, ok := okerrors.FromResponse(resp)
	if !ok {
		return 0
	}
	return e.Code
}

func TestCatalogueIsACopy(t *testing.T) {
	find := func() oktest.Method {
		list := oktest.Methods()
		return list[slices.IndexFunc(list, func(m oktest.Method) bool { return m.Name == "users.getInfo" })]
	}
	m := find()
	if len(m.Scopes) == 0 {
		t.Fatalf("%+v has no scope", m)
	}
	m.Scopes[0] = "CHANGED"
	if find().Scopes[0] == "CHANGED" {
		t.Error("a caller can change the table")
	}
}
