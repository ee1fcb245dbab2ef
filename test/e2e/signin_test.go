package e2e_test

import "github.com/chromedp/chromedp"

// What a user finds on the fake's pages.
const (
	loginField    chromedp.CSS = `input[name="fr.email"]`
	passwordField chromedp.CSS = `input[name="fr.password"]`
	submit        chromedp.CSS = `input[type="submit"]`
	allow         chromedp.CSS = `button[name="button_accept_request"]`
	deny          chromedp.CSS = `button[name="button_cancel_request"]`
)

// logIn fills in the login page as a user does, and sends it.
func logIn(login, password string) step {
	return chromedp.Steps(
		visible(loginField),
		chromedp.SendKeys(loginField, login),
		chromedp.SendKeys(passwordField, password),
		click(submit),
	)
}
