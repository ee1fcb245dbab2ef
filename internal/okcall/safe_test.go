package okcall_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/go-okru/okru/internal/okcall"
)

func TestReadsOnly(t *testing.T) {
	for method, want := range map[string]bool{
		"users.getInfo": true, "friends.get": true, "users.isAppUser": true, "group.hasX": true, "search.searchUsers": true,
		"a.b.findAll": true, "get": true, "a.getAll": true, "a.getZodiac": true,
		"video.getUploadUrl": false, "users.setStatus": false, "a.getter": false, "a.issue": false, "a.Get": false,
		"get.set": false, "a.": false, "": false, "auth.login": false,
	} {
		if got := okcall.ReadsOnly(method); got != want {
			t.Errorf("ReadsOnly(%q) = %v", method, got)
		}
	}
}

func TestMayRepeat(t *testing.T) {
	for _, test := range []struct {
		verb, url string
		option    okcall.Choice
		want      okcall.Choice
		isCall    bool
	}{
		{"GET", "https://api.ok.ru/fb.do?method=users.setStatus", okcall.Unset, okcall.Unset, true},
		{"POST", "https://proxy.example/api/users/getInfo", okcall.Unset, okcall.Unset, true},
		{"POST", "https://api.ok.ru/fb.do", okcall.Yes, okcall.Yes, true},
		{"GET", "https://api.ok.ru/fb.do", okcall.No, okcall.No, true},
		{"GET", "https://api.ok.ru/graph/me/chats", okcall.Unset, okcall.Yes, true},
		{"", "https://api.ok.ru/graph/me/chats", okcall.Unset, okcall.Yes, true},
		{"GET", "https://api.ok.ru/graph/me/chats", okcall.No, okcall.No, true},
		{"POST", "https://api.ok.ru/graph/me/messages", okcall.Unset, okcall.No, true},
		{"POST", "https://api.ok.ru/graph/me/messages", okcall.Yes, okcall.Yes, true},
		{"POST", "https://api.ok.ru/oauth/token.do", okcall.No, okcall.Unset, false},
		{"GET", "https://api.ok.ru/graph/", okcall.Unset, okcall.Unset, false},
	} {
		ctx := okcall.With(context.Background(), func(o *okcall.Options) { o.Idempotent = test.option })
		r, err := http.NewRequestWithContext(ctx, test.verb, test.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Method = test.verb
		if got, isCall := okcall.MayRepeat(r); got != test.want || isCall != test.isCall {
			t.Errorf("MayRepeat(%s %s, %v) = %v, %v; want %v, %v", test.verb, test.url, test.option, got, isCall, test.want, test.isCall)
		}
	}
	for _, r := range []*http.Request{nil, {}} {
		if got, isCall := okcall.MayRepeat(r); got != okcall.Unset || isCall {
			t.Errorf("MayRepeat(%v) = %v, %v", r, got, isCall)
		}
	}
}
