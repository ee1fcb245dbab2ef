package rttest_test

import (
	"fmt"
	"net/http"

	"github.com/go-okru/okru/rttest"
)

// userAgent is what most people write first.
type userAgent struct{ next http.RoundTripper }

func (u userAgent) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("User-Agent", "example")
	return u.next.RoundTrip(r)
}

// Check needs no test around it, so that a program can compare RoundTrippers.
func ExampleCheck() {
	kit := rttest.Kit{Wrap: func(next http.RoundTripper) http.RoundTripper { return userAgent{next} }}
	broken := make(map[rttest.Clause]bool)
	for _, v := range rttest.Check(kit) {
		if !broken[v.Clause] {
			fmt.Println(v)
		}
		broken[v.Clause] = true
	}
	// Output:
	// request unchanged: request 1, GET /items, next fails: Header has changed when next was called
	// uninitialized request rejected: request 1, GET /items without Header, next returns Kit.Response: RoundTrip panics: assignment to entry in nil map
	// idle connections closed: no request: CloseIdleConnections does not reach next
	// unwraps: no request: Unwrap() http.RoundTripper does not lead to next
}
