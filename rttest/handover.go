package rttest

import (
	"context"
	"io"
	"net/http"
)

// checkRedirect checks that redirects are handed over. That none is followed
// is seen wherever next answers by one.
func checkRedirect(k Kit, rec *recorder) {
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		redirect := answers(Answer{Status: status, Header: http.Header{"Location": {redirectedTo}}}, "a redirect")
		for _, s := range regular(k) {
			try(k, rec, s.name+", "+redirect.name, k.Wrap, redirect, func(t *trial) {
				c := t.onlyCall(context.Background(), s)
				c.do()
				c.finish()
				if c.ended() && c.resp == nil {
					t.found(RedirectReturned, "a redirect becomes an error: %v", c.err)
				}
			})
		}
	}
}

// checkUpgrade checks that a connection stays one.
func checkUpgrade(k Kit, rec *recorder) {
	switching := answers(Answer{
		Status: http.StatusSwitchingProtocols,
		Header: http.Header{"Connection": {"Upgrade"}, "Upgrade": {"rttest"}},
	}, "101")
	s := regular(k)[0]
	try(k, rec, s.name+", "+switching.name, k.Wrap, switching, func(t *trial) {
		c := t.onlyCall(context.Background(), s)
		c.do()
		if c.ended() && c.resp != nil && c.resp.Body != nil {
			if _, ok := c.resp.Body.(io.Writer); !ok {
				t.found(AnswerUpgraded, "the body of the answer is no io.Writer")
			}
		}
		c.finish()
	})
}

// maxLayers bounds the look for next, lest a layer unwraps to itself.
const maxLayers = 100

// checkChain checks what http.Client and others look for in a RoundTripper.
func checkChain(k Kit, rec *recorder) {
	try(k, rec, "no request", k.Wrap, answers(k.Answer, ""), func(t *trial) {
		client := http.Client{Transport: t.top}
		client.CloseIdleConnections()
		if t.next.idle.Load() == 0 {
			t.found(IdleForwarded, "CloseIdleConnections does not reach next")
		}
		if !unwraps(t.top, t.next) {
			t.found(Unwraps, "Unwrap() http.RoundTripper does not lead to next")
		}
	})
}

func unwraps(rt http.RoundTripper, next *bottom) bool {
	for range maxLayers {
		if same(rt, next) {
			return true
		}
		u, ok := rt.(interface{ Unwrap() http.RoundTripper })
		if !ok {
			return false
		}
		rt = u.Unwrap()
	}
	return false
}
