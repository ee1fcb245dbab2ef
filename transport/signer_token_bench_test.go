package transport_test

import (
	"context"
	"testing"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// BenchmarkSource is what a call costs whose context can end, by its source. One
// that knows no context costs a goroutine while it is asked, unless another call
// is asking it.
func BenchmarkSource(b *testing.B) {
	session := &oauth2.Token{AccessToken: "token"}
	for name, ts := range map[string]oauth2.TokenSource{
		"oauth.Static":      oauth.Static("token", ""),
		"StaticTokenSource": oauth2.StaticTokenSource(session),
		"ReuseTokenSource":  oauth2.ReuseTokenSource(session, nil),
	} {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		rt := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "s", TokenSource: ts}.Wrap(transport.Func(succeed))
		r := get("method=users.getInfo&uids=1").WithContext(ctx)
		call := func(b *testing.B) {
			if _, err := rt.RoundTrip(r); err != nil {
				b.Error(err)
			}
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				call(b)
			}
		})
		b.Run(name+", parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					call(b)
				}
			})
		})
	}
}
