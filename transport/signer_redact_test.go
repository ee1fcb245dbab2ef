package transport_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
	"github.com/go-okru/okru/internal/test/canary"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// What of a header quotes a secret is cut off or replaced, and nothing else is. The
// values, which a cache below may share, stay as they are.
func TestHeadersThatQuoteSecrets(t *testing.T) {
	for _, test := range []struct{ value, want string }{
		{"/next?a=%20b#c", "/next?a=%20b#c"}, // an escape, and no secret
		{"/next?access_token=token-1", "/next"},
		{"/next#access_token=token-1", "/next"},
		{"/token-1/next", "/"},
		{"token%2D1", "/"},
		{"/next?sig=SIG", "/next"},
		{"SIG", "/"},
		{"", ""},
	} {
		var shared []string
		base := transport.Func(func(r *http.Request) (*http.Response, error) {
			shared = []string{"first", strings.ReplaceAll(test.value, "SIG", r.URL.Query().Get("sig"))}
			resp := respondWith(200, "true").response(r)
			resp.Header = http.Header{"Link": shared}
			return resp, nil
		})
		resp, err := signer().Wrap(base).RoundTrip(get("method=users.getInfo"))
		if err != nil {
			t.Fatal(err)
		}
		finish(t, resp)
		if got := resp.Header["Link"]; len(got) != 2 || got[0] != "first" || got[1] != test.want {
			t.Errorf("%q becomes %q, want %q", test.value, got, test.want)
		}
		if test.want != test.value && shared[1] == test.want {
			t.Errorf("%q: the values of the RoundTripper below were changed", test.value)
		}
	}
}

// An error whose encoding is none is not replaced, and the body that replaces a
// compressed one is described by its header.
func TestEncodingOfErrors(t *testing.T) {
	for encoding, want := range map[string]string{"": "text", "identity": "text", "Identity": "text", "gzip": ""} {
		s := &script{outcomes: []outcome{codeResponse(200, 100, "Invocation-Error", "100", "Content-Encoding", encoding, "Content-Type", "text/x-api")}}
		resp, err := signer().Wrap(s).RoundTrip(get("method=users.getInfo"))
		if err != nil {
			t.Fatal(err)
		}
		e, ok := okerrors.FromResponse(resp)
		if !ok || e.Code != 100 || e.Message != want {
			t.Errorf("%q: the error is %v, want the message %q", encoding, e, want)
		}
		text := finish(t, resp)
		if want == "" && (text != `{"error_code":100}` || resp.Header.Get("Content-Type") != "application/json" || resp.Header.Get("Content-Length") != "18" ||
			resp.Header["Content-Encoding"] != nil) || want != "" && resp.Header.Get("Content-Type") != "text/x-api" {
			t.Errorf("%q: the response is %q with %v", encoding, text, resp.Header)
		}
		if s.open != 0 {
			t.Errorf("%q: the original is open", encoding)
		}
	}
}

// An API error of 64 KiB is masked as a whole, and one that is longer ends there.
func TestLengthOfMaskedErrors(t *testing.T) {
	for _, length := range []int{64<<10 - 1, 64 << 10, 64<<10 + 1, 70 << 10} {
		const begin, end = `{"error_code":100,"error_msg":"token-1`, `token-1"}`
		body := begin + strings.Repeat("x", length-len(begin+end)) + end
		resp, err := signer().Wrap(&script{outcomes: []outcome{respondWith(200, body)}}).RoundTrip(get("method=users.getInfo"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if strings.Contains(string(text), "token") {
			t.Errorf("%d bytes: a secret is in the body", length)
		}
		want := strings.ReplaceAll(body, "token-1", "*******")
		if length <= 64<<10 && (err != nil || string(text) != want) {
			t.Errorf("%d bytes: read %d, %v", length, len(text), err)
		}
		if length > 64<<10 && (err == nil || err.Error() != "okru: the body of an API error is longer than 64 KiB" || !strings.HasPrefix(want, string(text))) {
			t.Errorf("%d bytes: read %d, %v", length, len(text), err)
		}
	}
}

// What is not secret stays in an API error that quotes it.
func TestQuotedParametersStay(t *testing.T) {
	s := &script{outcomes: []outcome{respondWith(200, apiError(100, "PARAM : hello-world-1 of users.setStatus, hunter2-hunter2, token-1"))}}
	resp, err := signer().Wrap(s).RoundTrip(get("method=users.setStatus&status=hello-world-1&pass%77ord=hunter2-hunter2"))
	if err != nil {
		t.Fatal(err)
	}
	const want = "PARAM : hello-world-1 of users.setStatus, ***************, *******"
	if e, ok := okerrors.FromResponse(resp); !ok || e.Message != want {
		t.Errorf("the error is %v, want the message %q", e, want)
	}
	finish(t, resp)
}

// An API error has its method, also if that was in a form that is read only once.
func TestErrorOfAStreamedFormHasItsMethod(t *testing.T) {
	r := post("", "method=users.setStatus")
	r.GetBody = nil
	resp, err := signer().Wrap(&script{outcomes: []outcome{codeResponse(200, 100)}}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if e, ok := okerrors.FromResponse(resp); !ok || e.Method != "users.setStatus" {
		t.Errorf("the error is %v", e)
	}
	finish(t, resp)
}

// Secrets that are words of OK's messages are left there: Message is as sent,
// and is not read as that of another error.
func TestWordsAreNotTakenForSecrets(t *testing.T) {
	for _, test := range []struct{ token, session, app, message string }{
		{"expired", "", "app-secret", "PARAM_SESSION_EXPIRED : Session expired"},
		{"token-0", "", "secret", "PARAM_SIGNATURE : Invalid signature for this secret"},
		{"token-0", "invalid", "", "PARAM : invalid signature"},
		{"session_key", "", "app-secret", "PARAM : Wrong session_key"},
	} {
		a := &api{responses: []string{apiError(4, test.message, `,"error_field":"session_key"`)}}
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: test.app, TokenSource: oauth.Static(test.token, test.session)}
		resp, err := s.Wrap(a).RoundTrip(get("method=users.getInfo"))
		if err != nil {
			t.Fatal(err)
		}
		if e, _ := okerrors.FromResponse(resp); e == nil || e.Message != test.message || e.Field != "session_key" {
			t.Errorf("%q with token %q: error is %+v", test.message, test.token, e)
		}
	}
}

// However a server spells what it quotes, the error does not show it.
func TestQuotedSecretsInAnySpelling(t *testing.T) {
	const token = `CANARY/TOK+EN=:<1&x`
	for name, quoted := range map[string]string{
		"plain": token, "query": url.QueryEscape(token), "path": url.PathEscape(token), "HTML": html.EscapeString(token),
		"small letters": strings.NewReplacer("%2F", "%2f", "%2B", "%2b", "%3D", "%3d", "%3A", "%3a", "%3C", "%3c").Replace(url.QueryEscape(token)),
		"twice":         url.QueryEscape(url.QueryEscape(token)), "HTML twice": html.EscapeString(html.EscapeString(token)),
	} {
		a := &api{responses: []string{apiError(4, "REQUEST : you sent ["+quoted+"]")}}
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: oauth.Static(token, "")}
		resp, err := s.Wrap(a).RoundTrip(get("method=users.getInfo"))
		if err != nil {
			t.Fatal(err)
		}
		if e, _ := okerrors.FromResponse(resp); e == nil || e.Message != "REQUEST : you sent ["+strings.Repeat("*", len(quoted))+"]" {
			t.Errorf("%s: message %q of %q", name, e.Message, quoted)
		}
	}
}

// Whether a session was rejected is decided by what the API sent, before the
// secrets in it are masked.
func TestRejectionThatQuotesItsTokenIsRenewed(t *testing.T) {
	for _, token := range []string{"invalid", "access_token", "parameter access_token"} {
		a := &api{responses: []string{apiError(100, "PARAM : Invalid parameter access_token"), `true`}}
		tokens := []string{token, "fresh"}
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "app-secret", TokenSource: sourceFunc(func() (*oauth2.Token, error) {
			return &oauth2.Token{AccessToken: tokens[min(len(a.tokens), 1)]}, nil
		})}
		if _, err := s.Wrap(a).RoundTrip(get("method=users.getInfo")); err != nil || len(a.tokens) != 2 {
			t.Errorf("token %q: sent %q, error %v", token, a.tokens, err)
		}
	}
}

// A cleaned error is to Retry what it was before: the cancellation by a layer
// below is final, and its deadline, or the timeout of a connection, is not.
func TestCleanedErrorsKeepTheirFate(t *testing.T) {
	for _, test := range []struct {
		cause    error
		attempts int
	}{
		{context.DeadlineExceeded, 4},
		{fmt.Errorf("below: %w", context.DeadlineExceeded), 4},
		{errors.Join(errBroken, context.DeadlineExceeded), 4},
		{context.Canceled, 1},
		{headerTimeout{}, 4},
		{errBroken, 4},
	} {
		for _, shown := range []string{"https://api.ok.ru/fb.do", ""} {
			sent := 0
			base := transport.Func(func(r *http.Request) (*http.Response, error) {
				sent++
				address := shown
				if address == "" {
					address = r.URL.String() // signed
				}
				return nil, &url.Error{Op: "Get", URL: address, Err: test.cause}
			})
			rt := transport.Chain(base, transport.Retry{MinDelay: -1}.Wrap, signer().Wrap)
			_, err := rt.RoundTrip(get("method=users.getInfo"))
			if sent != test.attempts || !errors.Is(err, test.cause) {
				t.Errorf("%v, shown %q: sent %d times, want %d; %v", test.cause, shown, sent, test.attempts, err)
			}
		}
	}
}

var hidden = strings.Repeat("*", len(canaryToken))

// respond returns a RoundTripper that answers with what body makes of the
// signed request.
func respond(header http.Header, body func(query string) io.Reader) transport.Func {
	return func(r *http.Request) (*http.Response, error) {
		h := header.Clone()
		if h == nil {
			h = http.Header{}
		}
		return &http.Response{StatusCode: 200, Header: h, Body: io.NopCloser(body(r.URL.RawQuery)), ContentLength: -1, Request: r}, nil
	}
}

// wrapsBodies is a layer as loggers and tracers are: it hides the type of the
// body, and itself.
func wrapsBodies(next http.RoundTripper) http.RoundTripper {
	return transport.Func(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if resp != nil && resp.Body != nil {
			resp.Body = struct{ io.ReadCloser }{resp.Body}
		}
		return resp, err
	})
}

// An API error that quotes what was sent is masked, however it is read,
// through any layers and in any pieces.
func TestQuotedSecretsAreMaskedInTheBody(t *testing.T) {
	text := func(query string) string {
		return fmt.Sprintf(`{"error_code":103,"error_msg":"PARAM_SESSION_KEY : Invalid session key: %s of %s","error_data":{"sent":%q,"a":["%s"]},"error_field":"x"}`,
			canaryToken, url.QueryEscape(canaryApp), query, canarySession)
	}
	for name, pieces := range map[string]func(io.Reader) io.Reader{
		"at once":      func(r io.Reader) io.Reader { return r },
		"byte by byte": iotest.OneByteReader,
		"halves":       iotest.HalfReader,
		"EOF at once":  iotest.DataErrReader,
	} {
		for layers, above := range map[string]transport.Middleware{"none": nil, "one that wraps bodies": wrapsBodies} {
			var query string
			base := respond(nil, func(q string) io.Reader { query = q; return pieces(strings.NewReader(text(q))) })
			rt := transport.Chain(base, above, canarySigner().Wrap)
			resp, err := rt.RoundTrip(get("method=users.getInfo&password=canary-password"))
			if err != nil {
				t.Fatal(err)
			}
			e, ok := okerrors.FromResponse(resp)
			if !ok || e.Code != 103 || e.Method != "users.getInfo" || e.Field != "x" || e.Message != "PARAM_SESSION_KEY : Invalid session key: "+hidden+" of "+strings.Repeat("*", len(canaryApp)) {
				t.Errorf("%s, %s: error is %+v", name, layers, e)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || !json.Valid(body) || len(body) != len(text(query)) {
				t.Errorf("%s, %s: body is %q, error %v", name, layers, body, err)
			}
			signed, _ := url.ParseQuery(query)
			canary.Check(t, string(body)+e.Message+string(e.Data), append(canaries, signed.Get("sig"), "canary-password")...)
		}
	}
}

// The body and the verdict are the same wherever the body is cut in two, and
// what was inspected can be read before the rest has arrived.
func TestMaskedBodyInTwoPieces(t *testing.T) {
	const text = `{"error_code":4,"error_msg":"REQUEST : ` + canaryToken + `","custom_error":"` + canaryToken + `","other":"` + canaryToken + `"}`
	want := strings.ReplaceAll(text, canaryToken, strings.Repeat("*", len(canaryToken)))
	for cut := 1; cut < len(text); cut++ {
		early, late := io.Pipe()
		wrote := make(chan struct{})
		go func() {
			_, _ = io.WriteString(late, text[:cut])
			close(wrote)
			_, _ = io.WriteString(late, text[cut:])
			late.Close()
		}()
		resp, err := canarySigner().Wrap(respond(nil, func(string) io.Reader { return early })).RoundTrip(get("method=users.getInfo"))
		if err != nil {
			t.Fatal(err)
		}
		<-wrote
		e, ok := okerrors.FromResponse(resp)
		if !ok || e.Message != "REQUEST : "+strings.Repeat("*", len(canaryToken)) {
			t.Errorf("cut at %d: error is %+v", cut, e)
		}
		if body, err := io.ReadAll(iotest.OneByteReader(resp.Body)); string(body) != want || err != nil {
			t.Errorf("cut at %d: body is %q, error %v", cut, body, err)
		}
	}
}

// The Signer does not wait for the rest of a body, and no Read returns a part
// of a secret whose end is still to come.
func TestMaskedBodyWithALateEnd(t *testing.T) {
	const head = `{"error_code":4,"error_msg":"REQUEST : x"} and `
	synctest.Test(t, func(t *testing.T) {
		body, w := io.Pipe()
		go func() {
			_, _ = io.WriteString(w, head+canaryToken[:8])
			time.Sleep(time.Hour)
			_, _ = io.WriteString(w, canaryToken[8:]+" end")
			w.Close()
		}()
		start := time.Now()
		resp, err := canarySigner().Wrap(respond(nil, func(string) io.Reader { return body })).RoundTrip(get("method=users.getInfo"))
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := okerrors.FromResponse(resp); !ok || e.Code != 4 || time.Since(start) > 0 {
			t.Errorf("after %v: error is %+v", time.Since(start), e)
		}
		b := make([]byte, 1000)
		if n, err := resp.Body.Read(b); string(b[:n]) != head || err != nil || time.Since(start) > 0 {
			t.Errorf("after %v: read %q, error %v", time.Since(start), b[:n], err)
		}
		if rest, err := io.ReadAll(resp.Body); string(rest) != hidden+" end" || err != nil || time.Since(start) != time.Hour {
			t.Errorf("after %v: read %q, error %v", time.Since(start), rest, err)
		}
	})
}

// What is not readable as an error, because only the header has its code, is
// masked all the same, up to 64 KiB; an error of the original is kept.
func TestMaskedBodyEnds(t *testing.T) {
	code := http.Header{"Invocation-Error": {"104"}}
	long := strings.Repeat("x", 63<<10)
	for _, test := range []struct {
		name, sent, want string
		end              error
		fails            string
	}{
		{"page", "<html>You sent " + canaryToken + "</html>", "<html>You sent " + hidden + "</html>", nil, ""},
		{"text", canaryApp, strings.Repeat("*", len(canaryApp)), nil, ""},
		{"nothing", "", "", nil, ""},
		{"broken", "<html>" + canaryToken + "!", "<html>" + hidden + "!", errBroken, errBroken.Error()},
		{"broken within a secret", "<html>" + canaryToken[:9], "<html>", errBroken, errBroken.Error()},
		{"long", "<html>" + long + canaryToken, "<html>" + long + hidden, nil, ""},
		{"too long", "<html>" + strings.Repeat(canaryToken, 5000), "", nil, "longer than 64 KiB"},
	} {
		resp, err := canarySigner().Wrap(respond(code, func(string) io.Reader {
			if test.end != nil {
				return io.MultiReader(strings.NewReader(test.sent), iotest.ErrReader(test.end))
			}
			return strings.NewReader(test.sent)
		})).RoundTrip(get("method=users.getInfo"))
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := okerrors.FromResponse(resp); !ok || e.Code != 104 {
			t.Errorf("%s: error is %+v", test.name, e)
		}
		body, err := io.ReadAll(resp.Body)
		if (err == nil) != (test.fails == "") || err != nil && !strings.Contains(err.Error(), test.fails) || test.want != "" && string(body) != test.want || len(body) > 64<<10 {
			t.Errorf("%s: body is %.100q (%d bytes), error %v", test.name, body, len(body), err)
		}
		canary.Check(t, string(body), append(canaries, canaryToken[:9])...)
		if _, again := resp.Body.Read(make([]byte, 1)); err != nil && again != err {
			t.Errorf("%s: the next Read returns %v", test.name, again)
		}
	}
}

// A body that is compressed because the caller asked for that cannot be masked.
func TestCompressedErrorIsReplaced(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, apiError(104, canaryToken))
	z.Close()
	header := http.Header{"Content-Encoding": {"gzip"}, "Content-Length": {"999"}, "Invocation-Error": {"104"}}
	compressed := respond(header, func(string) io.Reader { return bytes.NewReader(b.Bytes()) })
	base := transport.Func(func(r *http.Request) (*http.Response, error) {
		resp, err := compressed.RoundTrip(r)
		resp.Header = header // a transport may share it
		resp.TransferEncoding, resp.Trailer = []string{"chunked"}, http.Header{"Digest": {"of what was replaced"}}
		return resp, err
	})
	resp, err := canarySigner().Wrap(base).RoundTrip(get("method=users.getInfo"))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if string(body) != `{"error_code":104}` || err != nil || resp.ContentLength != int64(len(body)) || resp.Header.Get("Content-Encoding") != "" || resp.Header.Get("Content-Length") != "18" {
		t.Errorf("body %q, error %v, length %d, header %v", body, err, resp.ContentLength, resp.Header)
	}
	if resp.TransferEncoding != nil || resp.Trailer != nil {
		t.Errorf("the body of a known length has transfer encoding %v and trailer %v", resp.TransferEncoding, resp.Trailer)
	}
	if header.Get("Content-Encoding") != "gzip" {
		t.Error("the header of the transport was changed")
	}
	// A response that is not an error passes as it is.
	header.Del("Invocation-Error")
	resp, err = canarySigner().Wrap(base).RoundTrip(get("method=users.getInfo"))
	if err != nil || resp.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("header %v, error %v", resp.Header, err)
	}
}

// A secret may be one of the words by which an error is recognized.
func TestMaskThatHidesTheError(t *testing.T) {
	for _, token := range []string{`error_code`, `{"error_code`, `error_code":104`} {
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: canaryApp, TokenSource: oauth.Static(token, "")}
		resp, verdict, err := s.Wrap(&api{responses: []string{`{"error_code":104,"error_msg":"x"}`}}).(roundtrip.Verdicter).RoundTripVerdict(get("method=a.b"))
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := verdict.Err.(*okerrors.Error); !ok || e.Code != 104 || e.Method != "a.b" {
			t.Errorf("%q: verdict is %v", token, verdict)
		}
		if e, ok := okerrors.FromResponse(resp); !ok || e.Code != 104 {
			t.Errorf("%q: error is %v", token, e)
		}
	}
}

// The keys of a new session are not those of the call.
func TestNewKeysStayReadable(t *testing.T) {
	a := &api{responses: []string{apiError(107, "PARAM_SESSION_KEY_CHANGED : x", `,"session_key":"new-token","session_secret_key":"new-secret"`)}}
	s := canarySigner()
	s.TokenSource = oauth2.StaticTokenSource(&oauth2.Token{AccessToken: canaryToken})
	resp, err := s.Wrap(a).RoundTrip(get("method=users.getInfo"))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	if !strings.Contains(string(body), "new-token") || !strings.Contains(string(body), "new-secret") {
		t.Errorf("the body is %s", body)
	}
}

// A long token that the API quotes, and that looks like a regular expression or like
// escapes, is found as any other.
func TestLongTokenInAnError(t *testing.T) {
	for _, token := range []string{"PARAM" + strings.Repeat("-", 8_000), strings.Repeat("(a+)+", 8_000), strings.Repeat("%2525", 8_000), "PARAM" + strings.Repeat("-", 100_000)} {
		body := `{"error_code":103,"error_msg":"PARAM_SESSION_KEY : Invalid session key: ` + token + `"}`
		s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: "canary-secret"}
		rt := okerrors.Decode(s.Wrap(respond(http.Header{}, func(string) io.Reader { return strings.NewReader(body) })))
		r := get("method=users.getInfo")
		_, err := rt.RoundTrip(r.WithContext(transport.WithToken(t.Context(), &oauth2.Token{AccessToken: token})))
		if !errors.Is(err, okerrors.CodeParamSessionKey) || strings.Contains(err.Error(), token[:30]) {
			t.Errorf("the error is %.200v", err)
		}
	}
}

// All values of all headers are redacted, also when they are not spelled as
// they were sent. Others stay as they are, and those of the transport do.
func TestHeadersAreRedacted(t *testing.T) {
	const app = "canary&application+secret"
	s := transport.Signer{ApplicationKey: "KEY", ApplicationSecret: app, TokenSource: oauth.Static(canaryToken, "")}
	for _, status := range []int{200, 302, 500} {
		for _, code := range []string{"", "104"} {
			var sent http.Header
			var sig string
			resp, err := s.Wrap(transport.Func(func(r *http.Request) (*http.Response, error) {
				sig = r.URL.Query().Get("sig")
				sent = http.Header{
					"Location":      {"https://a.example/", "https://b.example/?" + r.URL.RawQuery + "#x"},
					"Link":          {"<https://b.example/?" + r.URL.RawQuery + `>; rel="next"`},
					"X-Request-Url": {r.URL.String(), r.URL.String()},
					"Refresh":       {"0; url=" + url.QueryEscape(url.QueryEscape(r.URL.String()))},
					"X-Secret":      {url.PathEscape(app), html.EscapeString(app), strings.ReplaceAll(app, "&", `\u0026`)},
					"X-Path":        {"/" + canaryToken + "?a=b"},
					"X-Other":       {"https://b.example/?a=b", "x", ""},
				}
				if code != "" {
					sent["Invocation-Error"] = []string{code}
				}
				return &http.Response{StatusCode: status, Status: "200 OK, " + r.URL.RawQuery, Header: sent, Body: http.NoBody, Request: r}, nil
			})).RoundTrip(get("method=users.getInfo"))
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprint(status, " ", http.StatusText(status)); resp.Status != want {
				t.Errorf("the status is %q, want %q", resp.Status, want)
			}
			for name, values := range resp.Header {
				canary.Check(t, fmt.Sprint(name, values), canaryToken, sig, app, url.PathEscape(app), html.EscapeString(app), strings.ReplaceAll(app, "&", `\u0026`))
			}
			h := resp.Header
			if !slices.Equal(h["Location"], []string{"https://a.example/", "https://b.example/"}) || len(h["X-Request-Url"]) != 2 || len(h["X-Secret"]) != 3 ||
				!slices.Equal(h["X-Other"], []string{"https://b.example/?a=b", "x", ""}) || h.Get("Invocation-Error") != code {
				t.Errorf("the header is %v", h)
			}
		}
	}
}

// What is read in pieces is what masking the whole body at once gives.
func FuzzMaskedBody(f *testing.F) {
	for _, seed := range []string{`{"error_code":4,"error_msg":"` + canaryToken + `"}`, "<error_response><error_code>4</error_code><error_msg>" + canaryApp + "</error_msg>",
		`{"error_code":4,"error_msg":"canary\u002dtoken-1a2b3c","x":"canary-tok`, canaryToken + canaryToken, "%63anary-token-1a2b3c"} {
		f.Add(seed, 3, 7)
		f.Add(seed, 40, 1)
	}
	f.Fuzz(func(t *testing.T, text string, cut, size int) {
		if len(text) > 60<<10 || cut < 0 || cut > len(text) || size < 1 || size > 1000 {
			return
		}
		base := respond(http.Header{"Invocation-Error": {"4"}}, func(string) io.Reader {
			return io.MultiReader(strings.NewReader(text[:cut]), strings.NewReader(text[cut:]))
		})
		s := canarySigner()
		s.TokenSource = oauth.Static(canaryToken, "")
		resp, err := s.Wrap(base).RoundTrip(get("method=a.b"))
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for b := make([]byte, size); err == nil; {
			var n int
			n, err = resp.Body.Read(b)
			got = append(got, b[:n]...)
		}
		want := []byte(text)
		redact.Secrets{canaryToken, canaryApp, transport.DeriveSecret(canaryToken, canaryApp)}.Mask(want)
		if err != io.EOF || string(got) != string(want) {
			t.Errorf("%q cut at %d: read %q, want %q, error %v", text, cut, got, want, err)
		}
	})
}

// A signature that is escaped in a header is found, also if all other secrets of
// the call are longer than the text.
func TestEscapedSignatureInAHeader(t *testing.T) {
	for _, n := range []int{32, 40, 60} {
		long := strings.Repeat("0123456789abcdef", 8)
		var sig string
		base := transport.Func(func(r *http.Request) (*http.Response, error) {
			sig = r.URL.Query().Get("sig")
			header := http.Header{"X-Sig": {fmt.Sprintf("%%%02x%s", sig[0], sig[1:])}}
			return &http.Response{StatusCode: 200, Header: header, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
		})
		s := transport.Signer{ApplicationKey: "KEY", TokenSource: oauth.Static("-s-"+long[:n-3], long[:n])}
		resp, err := s.Wrap(base).RoundTrip(newGet(t, t.Context(), readURL))
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Header.Get("X-Sig"); strings.Contains(got, sig[1:]) {
			t.Errorf("with secrets of %d bytes the header is %q, and the signature %q", n, got, sig)
		}
	}
}
