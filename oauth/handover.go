package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
)

// What the human reads in the browser at the end of a sign-in.
const (
	signedIn    = "Signed in. You can close this page and go back to the program."
	notSignedIn = "You are not signed in. You can close this page and go back to the program."
)

// Pages of the listener.
var (
	signedInPage    = page{signedIn, forget}
	notSignedInPage = page{notSignedIn, forget}
	handoverPage    = page{"<noscript>This page needs JavaScript to sign you in.</noscript>", handOver}
)

const (
	// forget takes what came with the URL out of the address bar and the
	// browser's history.
	forget = `history.replaceState(null, "", location.pathname);`

	// handOver sends the fragment to where the page came from, and shows what
	// that says.
	handOver = `const answer = location.hash.slice(1);
` + forget + `
const show = text => { document.body.textContent = text };
fetch(location.pathname, {method: "POST", body: answer, credentials: "omit", redirect: "error"})
	.then(r => r.text())
	.then(show, () => show("The program does not answer any more."));`
)

// A page is an HTML page with a script.
type page struct{ body, script string }

// serve writes p. Nothing but its own script runs in it, and that can talk to
// its own origin only.
func (p page) serve(w http.ResponseWriter, status int) {
	sum := sha256.Sum256([]byte(p.script))
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
	send(w, status, "text/html; charset=utf-8", "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Sign-in</title><body>"+
		p.body+"<script>"+p.script+"</script></body></html>\n")
}

// send writes an answer that nobody keeps, and whose URL nobody is told. It is
// on its way when send returns, so that the listener may close.
func send(w http.ResponseWriter, status int, kind, text string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
	_ = http.NewResponseController(w).Flush()
}
