package interop_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// signingProxy returns a proxy that signs what browsers of signed-in users ask
// for. It passes nothing on but the call: cookies and tokens are for the
// program's own ears. API errors pass as OK sends them, because rt has
// Config.PassErrors.
func signingProxy(rt http.RoundTripper) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Transport: rt,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "https", Host: "api.ok.ru"})
			kind := p.In.Header.Values("Content-Type")
			p.Out.Header = http.Header{"Accept": {"application/json"}}
			if len(kind) > 0 {
				p.Out.Header["Content-Type"] = kind
			}
		},
	}
}

// The reverse proxy of net/http with our stack as its transport. In front of it
// belongs the check which users may call, and which methods they may call.
func Example_reverseProxy() {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	cfg := config(srv, "SET_STATUS")
	cfg.PassErrors = true
	site := httptest.NewServer(signingProxy(newTransport(cfg)))
	defer site.Close()

	show := func(resp *http.Response, err error) {
		if err != nil {
			fmt.Println(err)
			return
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		fmt.Println(resp.StatusCode, resp.Header.Get("Invocation-Error"), string(text), err)
	}
	show(http.Get(site.URL + "/api/users/isAppUser"))
	show(http.PostForm(site.URL+"/fb.do", url.Values{"method": {"users.setStatus"}, "status": {"Привет"}})) // a form without GetBody
	show(http.Get(site.URL + "/fb.do?method=users.getNothing"))
	// Output:
	// 200  true <nil>
	// 200  true <nil>
	// 200 3 {"error_code":3,"error_data":null,"error_msg":"METHOD : Method users.getNothing not found"} <nil>
}

// A browser gets no header of ours to see, and its own cookies go nowhere.
func TestProxyKeepsSecrets(t *testing.T) {
	srv := oktest.NewServer(oktest.App{})
	defer srv.Close()
	cfg := config(srv)
	cfg.PassErrors = true
	var sent http.Header
	cfg.Base = transport.Func(func(r *http.Request) (*http.Response, error) {
		sent = r.Header.Clone()
		return srv.InProcess().RoundTrip(r)
	})
	r := httptest.NewRequest(http.MethodPost, "http://example.org/fb.do", strings.NewReader("method=friends.get"))
	r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Cookie": {"sid=secret"}, "Authorization": {"Bearer secret"}}
	w := httptest.NewRecorder()
	signingProxy(newTransport(cfg)).ServeHTTP(w, r)
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "[") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if len(sent["Cookie"])+len(sent["Authorization"])+len(sent["X-Forwarded-For"]) > 0 {
		t.Errorf("sent on: %v", sent)
	}
	token := srv.Calls()[0].Params.Get("access_token")
	if text := fmt.Sprint(w.Header(), w.Body); strings.Contains(text, token) {
		t.Errorf("the response has the session: %s", text)
	}
}
