package ratelimit_test

import (
	"fmt"
	"regexp"
	"testing"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

type noSession struct{}

func (noSession) Token() (*oauth2.Token, error) { return nil, nil }

// Sources of many kinds.
type (
	byName     string
	byNumber   int64
	byOther    int64
	byUnsigned uint8
	byFlag     bool
	byArray    [2]string
	byChan     chan int
	byFunc     func()
	byFields   struct {
		noSession
		any
		n int
	}
)

func (byName) Token() (*oauth2.Token, error)     { return nil, nil }
func (byNumber) Token() (*oauth2.Token, error)   { return nil, nil }
func (byOther) Token() (*oauth2.Token, error)    { return nil, nil }
func (byUnsigned) Token() (*oauth2.Token, error) { return nil, nil }
func (byFlag) Token() (*oauth2.Token, error)     { return nil, nil }
func (byArray) Token() (*oauth2.Token, error)    { return nil, nil }
func (byChan) Token() (*oauth2.Token, error)     { return nil, nil }
func (byFunc) Token() (*oauth2.Token, error)     { return nil, nil }

// Sources that differ in type or value have keys of their own, and one has the
// same key at each call.
func TestSourcesHaveAKeyEach(t *testing.T) {
	pointer := new(renewing)
	var key string
	k := ratelimit.NewKeyed(-1, func(made string) ratelimit.Limiter { key = made; return nil })
	keys := make(map[string]string)
	for _, s := range []oauth2.TokenSource{
		byName(""), byName("a"), byName("b"), byNumber(0), byNumber(1), byNumber(-1), byOther(1), byUnsigned(1), byUnsigned(2),
		byFlag(true), byFlag(false), byArray{"a", "b"}, byArray{"b", "a"}, byChan(nil), make(byChan), make(byChan), byFunc(nil),
		byFields{}, byFields{n: 1}, byFields{any: 1}, byFields{any: "1"}, byFields{any: true}, byFields{any: byName("a")},
		byFields{any: pointer}, byFields{any: new(renewing)}, pointer, new(renewing), noSession{}, &noSession{},
	} {
		name := fmt.Sprintf("%T %+v", s, s)
		key = ""
		for range 2 {
			made := key
			must(t, k.Wait(transport.WithTokenSource(t.Context(), s)))
			if made != "" && key != made {
				t.Errorf("%s has the keys %q and %q", name, made, key)
			}
		}
		if other, ok := keys[key]; ok || key == "" {
			t.Errorf("%s has the key of %s", name, other)
		}
		keys[key] = name
	}
}

// A default key has 16 digits, also if its hash is a small number: package
// okredis knows by them that the key means nothing in another process.
func TestDefaultKeysHaveTheSameLength(t *testing.T) {
	form := regexp.MustCompile("^session [0-9a-f]{16}$")
	k := ratelimit.NewKeyed(-1, func(key string) ratelimit.Limiter {
		if !form.MatchString(key) {
			t.Errorf("the key is %q", key)
		}
		return nil
	})
	for i := range 500 {
		token := &oauth2.Token{AccessToken: fmt.Sprint("token ", i)}
		must(t, k.Wait(transport.WithToken(t.Context(), token)))
		must(t, k.Wait(transport.WithTokenSource(t.Context(), byNumber(i))))
	}
}
