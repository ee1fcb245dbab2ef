package subject

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"net/url"
	"sort"
	"strings"

	"golang.org/x/oauth2"
)

// naive signs as most programs do: with url.Values, sort, strings and md5. It
// does not cache the session's secret, check the host, look at forms, or renew
// a session.
type naive struct {
	key, secret string
	tokens      oauth2.TokenSource
	next        http.RoundTripper
}

func newNaive(t Target) http.RoundTripper {
	return naive{key: t.Key, secret: t.Secret, tokens: oauth2.StaticTokenSource(t.Token), next: t.Base}
}

// RoundTrip implements [http.RoundTripper].
func (n naive) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := n.tokens.Token()
	if err != nil {
		return nil, err
	}
	params := r.URL.Query()
	params.Set("application_key", n.key)
	params.Set("format", "json")
	params.Set("sig", md5Hex(SignedText(params, token.AccessToken, n.secret)))
	params.Set("access_token", token.AccessToken)
	signed := r.Clone(r.Context())
	signed.URL.RawQuery = params.Encode()
	return n.next.RoundTrip(signed)
}

// SignedText returns what a signature is the MD5 of: the parameters in order,
// and the secret of the session. There must be neither signature nor session
// among the parameters.
func SignedText(params url.Values, accessToken, applicationSecret string) string {
	keys := make([]string, 0, len(params))
	for key := range params {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	var text strings.Builder
	for _, key := range keys {
		text.WriteString(key + "=" + params.Get(key))
	}
	text.WriteString(md5Hex(accessToken + applicationSecret))
	return text.String()
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}
