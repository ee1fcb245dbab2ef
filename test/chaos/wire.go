package chaos

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// A wire is the RoundTripper just above the network: it sees what is sent,
// secrets included, makes them known before any error can show them, and
// counts the responses of the server.
type wire struct {
	next    http.RoundTripper
	tally   *tally
	witness *witness
}

// RoundTrip implements [http.RoundTripper].
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.tally.sent.Add(1)
	for _, text := range []string{r.URL.RawQuery, formOf(r)} {
		w.learn(text)
	}
	resp, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	switch code := resp.Header.Get("Invocation-Error"); {
	case code != "":
		w.tally.answers.add("code " + code)
	case resp.StatusCode != http.StatusOK:
		w.tally.answers.add(fmt.Sprintf("status %d", resp.StatusCode))
	}
	return resp, nil
}

// CloseIdleConnections is what http.Client asks for.
func (w *wire) CloseIdleConnections() {
	if c, ok := w.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// learn makes the secrets among parameters known.
func (w *wire) learn(query string) {
	params, _ := url.ParseQuery(query)
	for _, name := range []string{"access_token", "refresh_token", "code"} {
		if secret := params.Get(name); secret != "" {
			w.witness.secrets.add(secret)
		}
	}
	if sig := params.Get("sig"); sig != "" {
		w.tally.signatures.Add(1)
		if !isDigest(sig) {
			w.witness.secrets.add(sig) // it would not be found by its form
		}
	}
}

// formOf returns the form of r, if any.
func formOf(r *http.Request) string {
	if r.GetBody == nil {
		return ""
	}
	body, err := r.GetBody()
	if err != nil {
		return ""
	}
	defer body.Close()
	text, _ := io.ReadAll(body)
	return string(text)
}
