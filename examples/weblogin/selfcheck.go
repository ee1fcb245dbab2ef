package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// selfCheck signs in at the fake's pages as a user would, without a browser,
// and writes the friends that the site shows then.
func selfCheck(ctx context.Context, site string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	h, err := newVisitor(ctx)
	if err != nil {
		return err
	}
	if err := h.open(site + "/signin"); err != nil {
		return err
	}
	if err := h.submit(url.Values{"fr.email": {fakeLogin}, "fr.password": {fakePassword}}); err != nil {
		return err
	}
	if err := h.submit(url.Values{"button_accept_request": {""}}); err != nil {
		return err
	}
	friends := listItem.FindAllStringSubmatch(h.text, -1)
	if len(friends) == 0 {
		return fmt.Errorf("no friends at %s", h.at)
	}
	fmt.Fprintln(out, "friends:")
	for _, f := range friends {
		fmt.Fprintln(out, " ", strings.TrimSpace(html.UnescapeString(f[1])))
	}
	return nil
}

// A visitor is a user with a browser.
type visitor struct {
	ctx    context.Context
	client *http.Client
	at     *url.URL
	text   string // of the page
}

func newVisitor(ctx context.Context) (*visitor, error) {
	jar, err := cookiejar.New(nil)
	return &visitor{ctx: ctx, client: &http.Client{Jar: jar}}, err
}

func (h *visitor) open(address string) error {
	return h.fetch(http.MethodGet, address, nil)
}

var (
	listItem = regexp.MustCompile(`<li>([^<]+)`)
	action   = regexp.MustCompile(`(?i)<form method="post" action="([^"]*)"`)
	hidden   = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// submit sends the form of the page, which must be one of the fake's, with
// what the user adds to it.
func (h *visitor) submit(fields url.Values) error {
	form := action.FindStringSubmatch(h.text)
	if form == nil {
		return fmt.Errorf("no form at %s", h.at)
	}
	for _, input := range hidden.FindAllStringSubmatch(h.text, -1) {
		fields.Set(input[1], html.UnescapeString(input[2]))
	}
	to, err := h.at.Parse(html.UnescapeString(form[1]))
	if err != nil {
		return err
	}
	return h.fetch(http.MethodPost, to.String(), fields)
}

func (h *visitor) fetch(method, address string, form url.Values) error {
	r, err := http.NewRequestWithContext(h.ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := h.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	h.at, h.text = resp.Request.URL, string(text)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status + " at " + h.at.Path)
	}
	return err
}
