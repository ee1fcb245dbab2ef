package oktest

import (
	"crypto/rand"
	"html/template"
	"net/http"
	"strings"
)

// frame is around each page.
const frame = `{{define "top"}}<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{.}} · OK (oktest)</title>
<link rel="icon" href="data:,">
<style>
body { font: 16px/1.5 sans-serif; margin: 3em auto; max-width: 24em; padding: 0 1em; color: #222 }
h1 { color: #b85400; font-size: 1.4em }
label, input:not([type=checkbox]), button { display: block; width: 100%; box-sizing: border-box }
input:not([type=checkbox]), button { font: inherit; margin: .2em 0 1em; padding: .4em }
.wrong { color: #b00020 }
</style>
</head>
<body>
<h1>{{.}}</h1>
{{end}}{{define "bottom"}}</body>
</html>
{{end}}`

var (
	loginTemplate = page(`{{template "top" "Sign in to OK"}}
{{- if .Wrong}}<p class="wrong">Wrong login or password.</p>
{{end}}<form method="post" action="/dk?cmd=OAuth2Login&amp;st.cmd=OAuth2Login">
<input type="hidden" name="fr.posted" value="set">
<label for="email">Login, e-mail or phone</label>
<input type="text" id="email" name="fr.email" autocomplete="username">
<label for="password">Password</label>
<input type="password" id="password" name="fr.password" autocomplete="current-password">
<label><input type="checkbox" name="fr.remember" value="on" checked> Remember me</label>
<input type="submit" value="Sign in">
</form>
{{template "bottom"}}`)

	consentTemplate = page(`{{template "top" "Access to your profile"}}
{{- ""}}<p>{{.Login}}, application {{.Application}} asks for:</p>
<ul>
<li>your name and your picture</li>
{{range .Scopes}}<li>{{.}}</li>
{{end}}</ul>
<form METHOD="POST" action="/dk?st.cmd=OAuth2Permissions&amp;cmd=OAuth2Permissions">
<input type="hidden" name="fr.posted" value="set">
<input type="hidden" name="fr.token" value="{{.Token}}">
<button type="submit" name="button_accept_request" value="">Allow</button>
<button type="submit" name="button_cancel_request" value="">Deny</button>
</form>
{{template "bottom"}}`)

	noticeTemplate = page(`{{template "top" .Title}}<p>{{.Text}}</p>
{{template "bottom"}}`)

	captchaTemplate = page(`{{template "top" "Are you a human?"}}<form method="post" action="/dk?cmd=OAuth2Captcha&amp;st.cmd=OAuth2Captcha">
<input type="hidden" name="fr.posted" value="set">
<label for="code">Type the letters of the picture</label>
<input type="text" id="code" name="fr.code" autocomplete="off">
<input type="submit" value="Go on">
</form>
{{template "bottom"}}`)

	phoneTemplate = page(`{{template "top" "Confirm your phone number"}}<form method="post" action="/dk?cmd=OAuth2PhoneCheck&amp;st.cmd=OAuth2PhoneCheck">
<input type="hidden" name="fr.posted" value="set">
<label for="phone">We will send a code to your phone</label>
<input type="tel" id="phone" name="fr.phone" autocomplete="tel">
<input type="submit" value="Send the code">
</form>
{{template "bottom"}}`)
)

func page(text string) *template.Template {
	return template.Must(template.Must(template.New("page").Parse(frame)).Parse(text))
}

// view is what the pages show of a browser.
type view struct {
	Wrong       bool
	Login       string
	Application string
	Scopes      []string
	Token       string
}

func show(t *template.Template, b *browser) response {
	v := view{Wrong: b.wrong, Scopes: b.pending.scopes, Token: b.csrf}
	if b.user != nil {
		v.Login, v.Application = b.user.login, b.user.server.app.ID
	}
	return render(http.StatusOK, t, v)
}

func showCheck(cmd string) response {
	switch cmd {
	case checkPages[Captcha]:
		return render(http.StatusOK, captchaTemplate, nil)
	case checkPages[HumanCheck]:
		return render(http.StatusOK, phoneTemplate, nil)
	default:
		return render(http.StatusOK, noticeTemplate, notice{"The profile is blocked", "Write to OK's support to get it back."})
	}
}

type notice struct{ Title, Text string }

func errorPage(status int, text string) response {
	return render(status, noticeTemplate, notice{"Error", text})
}

func render(status int, t *template.Template, data any) response {
	var text strings.Builder
	if err := t.Execute(&text, data); err != nil {
		panic("okru: oktest: a page does not render: " + err.Error())
	}
	return response{status: status}.with(htmlType, text.String())
}

// A browser is the state behind a cookie: the user who is signed in, and the
// authorization in progress. It is guarded by Server.mu.
type browser struct {
	id      string
	user    *User
	pending *authorization
	wrong   bool   // login or password was
	keep    bool   // the cookie outlives the program
	csrf    string // of the consent page
}

const (
	cookieName   = "JSESSIONID"
	cookieMaxAge = 30 * 24 * 60 * 60
)

// browserOf returns the browser that r comes from, a new one if it has no
// cookie. The caller has locked s.mu.
func (s *Server) browserOf(r *http.Request) *browser {
	if cookie, err := r.Cookie(cookieName); err == nil && s.browsers[cookie.Value] != nil {
		return s.browsers[cookie.Value]
	}
	b := &browser{csrf: rand.Text()}
	s.rename(b)
	return b
}

// rename gives b a new cookie, as OK does when a user signs in.
func (s *Server) rename(b *browser) {
	delete(s.browsers, b.id)
	b.id = rand.Text()
	s.browsers[b.id] = b
}

// withCookie adds the cookie of b to a response to r.
func (b *browser) withCookie(r *http.Request, a response) response {
	cookie := http.Cookie{
		Name:     cookieName,
		Value:    b.id,
		Path:     "/",
		HttpOnly: true,
		Secure:   isReal(r),
		SameSite: http.SameSiteLaxMode,
	}
	if b.keep {
		cookie.MaxAge = cookieMaxAge
	}
	a.header.Add("Set-Cookie", cookie.String())
	return a
}

// proceed sends the browser to where its sign-in goes on. The caller holds
// s.mu.
func (s *Server) proceed(b *browser) response {
	switch {
	case b.pending == nil:
		return errorPage(http.StatusBadRequest, "No sign-in is in progress: begin at /oauth/authorize, with cookies allowed.")
	case b.user == nil:
		return toPage(loginPage)
	case b.user.check != NoCheck:
		return toPage(checkPages[b.user.check])
	case !b.pending.consented(b.user):
		return toPage(consentPage)
	}
	done := b.pending
	b.pending = nil
	return s.succeed(b.user, done)
}

func toPage(cmd string) response { return redirect("/dk?st.cmd=" + cmd + "&st.layout=w") }
