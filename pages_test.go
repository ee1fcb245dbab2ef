package okru_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// pagedClient returns a client of a fake whose method group.getMembers returns
// the responses, and what the calls had as parameters.
func pagedClient(t *testing.T, responses []string) (*http.Client, *[]url.Values) {
	t.Helper()
	fake := oktest.NewServer(oktest.App{})
	t.Cleanup(fake.Close)
	calls := new([]url.Values)
	fake.Handle("group.getMembers", func(params url.Values) (any, error) {
		*calls = append(*calls, params)
		n := len(*calls)
		if n > len(responses) {
			t.Errorf("call number %d: %v", n, params)
			return nil, &okerrors.Error{Code: okerrors.CodeService}
		}
		if text, ok := strings.CutPrefix(responses[n-1], "error "); ok {
			return nil, &okerrors.Error{Code: okerrors.CodeParamPermission, Message: text}
		}
		return jsonText(responses[n-1]), nil
	})
	client, err := okru.NewClient(okru.Config{
		ApplicationKey: fake.App().Key, ApplicationSecret: fake.App().Secret, Base: fake.Transport(),
		TokenSource: oauth2.StaticTokenSource(memberOfGroups(fake)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, calls
}

// memberOfGroups returns the session of a new user who lets the application see
// their groups.
func memberOfGroups(fake *oktest.Server) *oauth2.Token {
	anna := fake.NewUser("anna", "password")
	anna.Grant(oauth.ScopeGroupContent)
	return anna.EternalToken()
}

type jsonText string

func (t jsonText) MarshalJSON() ([]byte, error) { return []byte(t), nil }

func TestPages(t *testing.T) {
	type members struct {
		Members []string
		Anchor  any
	}
	const first = `{"members":["a","b"],"anchor":"A1","has_more":true}`
	for name, test := range map[string]struct {
		params    url.Values
		responses []string
		want      []string // of each call: its mark
	}{
		"has_more":                   {nil, []string{first, `{"members":["c"],"anchor":"A2","has_more":false}`}, []string{"", "anchor=A1"}},
		"hasMore":                    {nil, []string{`{"members":["a"],"anchor":"A1","hasMore":true}`, `{"anchor":"A2","hasMore":false}`}, []string{"", "anchor=A1"}},
		"has_more as text":           {nil, []string{first, `{"members":["c"],"anchor":"A2","has_more":"false"}`}, []string{"", "anchor=A1"}},
		"an empty page, has_more":    {nil, []string{`{"members":[],"anchor":"A1","has_more":true}`, `{"members":["c"]}`}, []string{"", "anchor=A1"}},
		"one page":                   {nil, []string{`{"members":["a"]}`}, []string{""}},
		"a list":                     {nil, []string{`{"members":[]}`}, []string{""}},
		"null":                       {nil, []string{`null`}, []string{""}},
		"no has_more":                {nil, []string{`{"members":["a"],"anchor":"A1"}`, `{"members":["b"],"anchor":"A2"}`, `{"members":[],"anchor":"A3"}`}, []string{"", "anchor=A1", "anchor=A2"}},
		"no has_more, null":          {nil, []string{`{"members":["a"],"anchor":"A1"}`, `{"members":null,"anchor":"A2"}`}, []string{"", "anchor=A1"}},
		"mark is repeated":           {nil, []string{first, first}, []string{"", "anchor=A1"}},
		"marks go in a circle":       {nil, []string{first, `{"members":["c"],"anchor":"A2","has_more":true}`, first}, []string{"", "anchor=A1", "anchor=A2"}},
		"mark is empty":              {nil, []string{`{"members":["a"],"anchor":"","has_more":true}`}, []string{""}},
		"mark is null":               {nil, []string{`{"members":["a"],"anchor":null,"has_more":true}`}, []string{""}},
		"mark is an object":          {nil, []string{`{"members":["a"],"anchor":{},"has_more":true}`}, []string{""}},
		"the caller's own mark":      {url.Values{"anchor": {"A1"}}, []string{first}, []string{"anchor=A1"}},
		"the caller begins later":    {url.Values{"anchor": {"A0"}}, []string{first, `{"members":["c"]}`}, []string{"anchor=A0", "anchor=A1"}},
		"pagingAnchor":               {nil, []string{`{"members":["a"],"pagingAnchor":"P1","hasMore":true}`, `{"members":["b"]}`}, []string{"", "pagingAnchor=P1"}},
		"marker, a number":           {nil, []string{`{"members":["a"],"marker":12345678901234567890}`, `{"members":["b"]}`}, []string{"", "marker=12345678901234567890"}},
		"marker, a number, repeated": {nil, []string{`{"members":["a"],"marker":1}`, `{"members":["b"],"marker":1}`}, []string{"", "marker=1"}},
	} {
		client, calls := pagedClient(t, test.responses)
		given := fmt.Sprint(test.params)
		pages := 0
		for _, err := range okru.Pages[members](t.Context(), client, "group.getMembers", test.params) {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if pages++; len(*calls) != pages {
				t.Errorf("%s: %d calls for %d pages", name, len(*calls), pages)
			}
		}
		if pages != len(test.responses) {
			t.Errorf("%s: %d pages, want %d", name, pages, len(test.responses))
		}
		var got []string
		for _, params := range *calls {
			mark := ""
			for _, m := range []string{"anchor", "pagingAnchor", "marker"} {
				if params.Has(m) {
					mark += m + "=" + params.Get(m)
				}
			}
			got = append(got, mark)
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", test.want) {
			t.Errorf("%s: marks are %q, want %q", name, got, test.want)
		}
		if fmt.Sprint(test.params) != given {
			t.Errorf("%s: params were changed to %v", name, test.params)
		}
	}
}

func TestPagesErrors(t *testing.T) {
	const first = `{"members":["a","b"],"anchor":"A1","has_more":true}`
	client, _ := pagedClient(t, []string{first, "error PERMISSION_DENIED : no"})
	var got []string
	for page, err := range okru.Pages[struct{ Members []string }](t.Context(), client, "group.getMembers", nil) {
		got = append(got, fmt.Sprint(page.Members, errors.Is(err, okerrors.ErrPermission)))
	}
	if fmt.Sprint(got) != "[[a b] false [] true]" {
		t.Errorf("values are %q", got)
	}

	client, _ = pagedClient(t, []string{first, `{"members":"canary-value"}`})
	var last error
	for _, last = range okru.Pages[struct{ Members []string }](t.Context(), client, "group.getMembers", nil) {
	}
	if e, ok := errors.AsType[*okru.AnswerError](last); !ok || e.Method != "group.getMembers" || strings.Contains(last.Error(), "canary") {
		t.Errorf("error of another type is %v", last)
	}

	client, calls := pagedClient(t, nil)
	for _, last = range okru.Pages[any](t.Context(), client, "group.getMembers", url.Values{"offset": {"0"}}) {
	}
	if last == nil || !strings.Contains(last.Error(), "offset") || len(*calls) != 0 {
		t.Errorf("offset: error is %v after %d calls", last, len(*calls))
	}
	for _, last = range okru.Pages[any](t.Context(), client, "members", nil) {
	}
	if last == nil || len(*calls) != 0 {
		t.Errorf("a bad method: error is %v after %d calls", last, len(*calls))
	}
}

// Nothing is requested that the loop does not ask for, and a second loop begins
// at the first page.
func TestPagesBreak(t *testing.T) {
	const first = `{"members":["a"],"anchor":"A1","has_more":true}`
	client, calls := pagedClient(t, []string{first, first})
	pages := okru.Pages[any](t.Context(), client, "group.getMembers", nil)
	for range 2 {
		for _, err := range pages {
			if err != nil {
				t.Error(err)
			}
			break
		}
	}
	if len(*calls) != 2 || (*calls)[1].Has("anchor") {
		t.Errorf("calls are %v", *calls)
	}
}

func TestPagesContext(t *testing.T) {
	client, _ := pagedClient(t, []string{`{"members":["a"],"anchor":"A1","has_more":true}`})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for _, err := range okru.Pages[any](ctx, client, "group.getMembers", nil) {
		if n++; n == 2 && !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
		cancel()
	}
	if n != 2 {
		t.Errorf("%d values", n)
	}
}

func ExamplePages() {
	fake := oktest.NewServer(oktest.App{})
	defer fake.Close()
	fake.Handle("group.getMembers", func(params url.Values) (any, error) {
		if params.Get("anchor") == "" {
			return map[string]any{"members": []string{"anna", "boris"}, "anchor": "x", "has_more": true}, nil
		}
		return map[string]any{"members": []string{"vera"}, "anchor": "y", "has_more": false}, nil
	})
	client, err := okru.NewClient(okru.Config{
		ApplicationKey: fake.App().Key, ApplicationSecret: fake.App().Secret, Base: fake.Transport(),
		TokenSource: oauth2.StaticTokenSource(memberOfGroups(fake)),
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	type page struct{ Members []string }
	params := url.Values{"uid": {"53000000000001"}, "count": {"2"}}
	for page, err := range okru.Pages[page](context.Background(), client, "group.getMembers", params) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(page.Members)
	}
	// Output:
	// [anna boris]
	// [vera]
}
