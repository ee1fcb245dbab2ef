package callback_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
)

const (
	appKey    = "CBAPUBLICKEY"
	appSecret = "canary-application-secret-6f7a"
)

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// sign returns params with the sig that OK adds.
func sign(params url.Values, secret string) url.Values {
	signed := maps.Clone(params)
	delete(signed, "sig")
	text := ""
	for _, name := range slices.Sorted(maps.Keys(signed)) {
		text += name + "=" + signed.Get(name)
	}
	signed.Set("sig", md5Hex(text+secret))
	return signed
}

// payment returns the parameters of a payment, as OK sends them, but for sig.
func payment(edit ...string) url.Values {
	params := url.Values{
		"application_key": {appKey}, "uid": {"578000000001"}, "transaction_id": {"T-1"}, "transaction_time": {"2026-11-29 12:30:00"},
		"product_code": {"sword"}, "product_option": {"gold"}, "amount": {"100"}, "currency": {"ok"},
		"payment_system": {"OK"}, "extra_attributes": {`{"a":"ё; +&="}`},
	}
	for i := 0; i < len(edit); i += 2 {
		if edit[i+1] == "" {
			delete(params, edit[i])
			continue
		}
		params.Set(edit[i], edit[i+1])
	}
	return params
}

// launch returns authentic launch parameters of the user with a session.
func launch(user, session string) url.Values {
	return sign(url.Values{
		"logged_user_id": {user}, "session_key": {session}, "session_secret_key": {"canary-session-secret"}, "application_key": {appKey},
		"api_server": {"https://api.ok.ru/"}, "authorized": {"1"}, "auth_sig": {md5Hex(user + session + appSecret)},
	}, appSecret)
}

// serve returns the response of h to a request.
func serve(h http.Handler, method, target, form string, edit ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(form))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, e := range edit {
		e(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// jsonBody returns v as the body of a request.
func jsonBody(v any) io.Reader {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return bytes.NewReader(text)
}
