package oktest

import (
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

func show(t *template.Template, b *browser) answer {
	v := view{Wrong: b.wrong, Scopes: b.pending.scopes, Token: b.csrf}
	if b.user != nil {
		v.Login, v.Application = b.user.login, b.user.server.app.ID
	}
	return render(http.StatusOK, t, v)
}

func showCheck(cmd string) answer {
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

func errorPage(status int, text string) answer {
	return render(status, noticeTemplate, notice{"Error", text})
}

func render(status int, t *template.Template, data any) answer {
	var text strings.Builder
	if err := t.Execute(&text, data); err != nil {
		panic("okru: oktest: a page does not render: " + err.Error())
	}
	return answer{status: status}.with(htmlType, text.String())
}
