package okcall

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// A context with Options prints no session, and keeps what it does not change.
func TestWith(t *testing.T) {
	first := With(context.Background(), func(o *Options) { o.AttemptTimeout = time.Second })
	second := With(first, func(o *Options) { o.Source = oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "CANARY"}) })
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got, want := fmt.Sprintf(verb, second), "context.Background.WithOptions.WithOptions"; got != want {
			t.Errorf("%s prints %s, want %s", verb, got, want)
		}
	}
	if FromContext(first).Source != nil || FromContext(second).Source == nil || FromContext(second).Timeout() != time.Second {
		t.Errorf("the options are %+v and %+v", FromContext(first), FromContext(second))
	}
	var none *Options
	if FromContext(context.Background()) != nil || none.Timeout() != 0 {
		t.Error("a context without options has some")
	}
}
