package e2e_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

func TestWeblogin(t *testing.T) {
	b := newBrowser(t, "")
	site := startSite(t)

	b.must(chromedp.Navigate(site.url), click("#signin"), logIn(site.login, "a wrong password"), visible(".wrong"))
	b.wantText(".wrong", "Wrong login or password")
	b.must(logIn(site.login, site.password), visible(allow))
	b.wantText("ul", "VALUABLE_ACCESS")
	b.must(click(allow), visible("#friends"))
	wantFriends(t, b)
	wantAt(t, b, site.url)
	wantStyle(t, b)
	wantOneCookie(t, b)

	b.must(chromedp.Reload(), visible("#friends"))
	wantFriends(t, b)

	b.must(click("#signout"), visible("#signin"))
	wantAt(t, b, site.url)

	// OK knows the user and the consent by now, and asks nothing.
	b.must(click("#signin"), visible("#friends"))
	wantFriends(t, b)
}

func TestWebloginDenied(t *testing.T) {
	b := newBrowser(t, "")
	site := startSite(t)

	b.must(chromedp.Navigate(site.url), click("#signin"), logIn(site.login, site.password), visible(deny))
	b.must(click(deny), visible("#notice"))
	b.wantText("#notice", "You did not allow access")

	b.must(click("#signin"), visible(allow)) // the user may change their mind
	b.must(click(allow), visible("#friends"))
	wantFriends(t, b)
}

// A link that the site did not make signs no visitor in.
func TestWebloginForged(t *testing.T) {
	b := newBrowser(t, "")
	site := startSite(t)
	b.must(chromedp.Navigate(site.url+"back?code=stolen&state=guessed"), visible("#notice"))
	b.wantText("#notice", "did not begin here")
	b.must(chromedp.Navigate(site.url), visible("#signin"))
}

func wantFriends(t *testing.T, b *browser) {
	t.Helper()
	if n := eval[int](b, `document.querySelectorAll("#friends li").length`); n != 7 {
		t.Errorf("there are %d friends, want the 7 that the fake gives to everybody", n)
	}
	b.wantText("#friends", "Иван Смирнов")
	if get(b, chromedp.Text(chromedp.CSS("#name"))) == "" {
		t.Error("the page does not say who is signed in")
	}
}

func wantAt(t *testing.T, b *browser, want string) {
	t.Helper()
	if got := eval[string](b, "location.href"); got != want {
		t.Errorf("the browser is at %s, want %s", got, want)
	}
}

// wantStyle fails the test if the page's own policy keeps its style sheet out.
func wantStyle(t *testing.T, b *browser) {
	t.Helper()
	if color := eval[string](b, `getComputedStyle(document.querySelector("h1")).color`); color != "rgb(184, 84, 0)" {
		t.Errorf("the heading is %s: the style sheet is not applied", color)
	}
}

// wantOneCookie fails the test unless the site has left the visitor's cookie
// and nothing else, for no script to see.
func wantOneCookie(t *testing.T, b *browser) {
	t.Helper()
	cookies, err := chromedp.Call(b.ctx, storage.GetCookies, storage.GetCookiesParams{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range cookies.Cookies {
		if !strings.HasPrefix(c.Name, "weblogin") { // but one of the fake's
			continue
		}
		names = append(names, c.Name)
		if !c.HTTPOnly || c.SameSite != network.CookieSameSiteLax {
			t.Errorf("cookie %s has HttpOnly %t and SameSite %s", c.Name, c.HTTPOnly, c.SameSite)
		}
	}
	if len(names) != 1 {
		t.Errorf("the site leaves cookies %q, want one", names)
	}
	if seen := eval[string](b, "document.cookie"); seen != "" {
		t.Errorf("scripts see the cookies %q", seen)
	}
}
