package e2e_test

import (
	"bytes"
	"image"
	"image/png"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oktest"
)

// TestPages looks at each page of oktest that a user can get to.
func TestPages(t *testing.T) {
	b := newBrowser(t, "")
	for _, tt := range []struct {
		name    string
		check   oktest.Check
		scopes  []string
		signIn  bool
		title   string
		visible []chromedp.CSS
	}{
		{"login", oktest.NoCheck, nil, false, "Sign in to OK",
			[]chromedp.CSS{loginField, passwordField, `input[type="checkbox"]`, submit}},
		{"consent", oktest.NoCheck, []string{"PHOTO_CONTENT", "GET_EMAIL"}, true, "Access to your profile",
			[]chromedp.CSS{"li", allow, deny}},
		{"captcha", oktest.Captcha, nil, true, "Are you a human?",
			[]chromedp.CSS{`input[name="fr.code"]`, submit}},
		{"phone", oktest.HumanCheck, nil, true, "Confirm your phone number",
			[]chromedp.CSS{`input[name="fr.phone"]`, submit}},
		{"blocked", oktest.Blocked, nil, true, "The profile is blocked", []chromedp.CSS{"p"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fake := oktest.NewServer(oktest.App{})
			defer fake.Close()
			fake.NewUser(login, password).Require(tt.check)
			b.must(chromedp.Navigate(authorizePage(fake, tt.scopes)))
			if tt.signIn {
				b.must(logIn(login, password))
			}
			for _, selector := range tt.visible {
				b.must(visible(selector))
			}
			wantTitle(t, b, tt.title)
			wantPicture(t, b)
			for _, scope := range tt.scopes {
				b.wantText("ul", scope)
			}
		})
	}
}

// authorizePage returns where a sign-in at the fake begins, for a browser.
func authorizePage(fake *oktest.Server, scopes []string) string {
	real, _ := url.Parse(oauth.Implicit{ClientID: fake.App().ID, State: "state", Scopes: scopes}.AuthURL())
	return fake.URL() + real.RequestURI()
}

func wantTitle(t *testing.T, b *browser, want string) {
	t.Helper()
	title := get(b, chromedp.Title())
	if want += " · OK (oktest)"; title != want {
		t.Errorf("the title is %q, want %q", title, want)
	}
	b.wantText("h1", want[:len(want)-len(" · OK (oktest)")])
}

// wantPicture fails the test if the page is blank, or wider than the window.
func wantPicture(t *testing.T, b *browser) {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(get(b, chromedp.CaptureScreenshot())))
	if err != nil {
		t.Fatal(err)
	}
	if n := colours(picture); n < 10 {
		t.Errorf("the page has %d colours: it is blank", n)
	}
	if eval[bool](b, "document.documentElement.scrollWidth > innerWidth") {
		t.Error("the page is wider than the window")
	}
}

func colours(picture image.Image) int {
	seen := make(map[any]bool)
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			seen[picture.At(x, y)] = true
		}
	}
	return len(seen)
}
