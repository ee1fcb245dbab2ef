package rttest_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-okru/okru/rttest"
)

// A kit for a layer that treats JSON by POST in a way of its own, and responses
// with an error in them. It breaks one rule on purpose.
func ExampleKit() {
	kit := rttest.Kit{
		Wrap: func(next http.RoundTripper) http.RoundTripper { return agent{next} },
		Requests: []func(context.Context) *http.Request{func(ctx context.Context) *http.Request {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.ok.ru/graph/me/messages", strings.NewReader(`{"text":"hello"}`))
			if err != nil {
				panic(err)
			}
			r.Header.Set("Content-Type", "application/json")
			return r
		}},
		Responses: []rttest.Response{{Status: 200, Body: `{"error_code":2}`}},
		Except:    map[rttest.Clause]string{rttest.Unwraps: "nothing below is of interest"},
	}
	fmt.Println(len(rttest.Check(kit)))
	// Output: 0
}

// Rules of net/http, and customs that its documentation does not ask for.
func ExampleClause() {
	rules := 0
	for _, clause := range rttest.Clauses() {
		if !clause.Custom() {
			rules++
		}
	}
	fmt.Println(rules, "rules; a custom:", rttest.Unwraps)
	// Output: 25 rules; a custom: unwraps
}

// What is wrong with a layer, as values.
func ExampleViolation() {
	kit := rttest.Kit{Wrap: func(next http.RoundTripper) http.RoundTripper { return userAgent{next} }}
	first := map[rttest.Clause]rttest.Violation{}
	for _, v := range rttest.Check(kit) {
		if _, known := first[v.Clause]; !known {
			first[v.Clause] = v
		}
	}
	fmt.Println(first[rttest.RequestUnchanged].Detail)
	// Output: Header has changed when next was called
}
