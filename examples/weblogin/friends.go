package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-okru/okru"
)

// A person is what the site shows of a user of OK.
type person struct {
	Name     string `json:"name"`
	Location struct {
		City string `json:"city"`
	} `json:"location"`
}

// friendsPage asks OK for the page of the visitor whose session ctx has.
func friendsPage(ctx context.Context, client *http.Client) (page, error) {
	me, err := okru.Call[person](ctx, client, "users.getCurrentUser", url.Values{"fields": {"name"}})
	if err != nil {
		return page{}, err
	}
	ids, err := okru.Call[[]string](ctx, client, "friends.get", nil)
	if err != nil || len(ids) == 0 {
		return page{Name: me.Name}, err
	}
	friends, err := okru.Call[[]person](ctx, client, "users.getInfo", url.Values{
		"uids":   {strings.Join(ids[:min(len(ids), 100)], ",")}, // no more than 100 at once
		"fields": {"name,location"},
	})
	return page{Name: me.Name, Friends: friends}, err
}
