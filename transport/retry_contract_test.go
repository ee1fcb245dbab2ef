package transport_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/go-okru/okru/rttest"
	"github.com/go-okru/okru/transport"
)

// That a pause ends with the context is tested elsewhere: one that would last
// beyond a deadline does not begin.
func TestRetryContract(t *testing.T) {
	api := []rttest.Response{
		{Body: `{"error_code":1,"error_msg":"UNKNOWN"}`},
		{Body: `{"error_code":2,"error_msg":"SERVICE"}`},
		{Body: `{"error_code":8,"error_msg":"FLOOD_BLOCKED"}`},
		{Body: `{"error_code":104,"error_msg":"PARAM_SIGNATURE"}`},
		{Status: 502, Body: "<html>" + strings.Repeat("maintenance ", 2<<10)},
		{Status: 503, Header: http.Header{"Retry-After": {"2"}}, Body: "later"},
		{Status: 429, Header: http.Header{"Retry-After": {"3600"}}, Body: "much later"},
	}
	for name, retry := range map[string]transport.Retry{
		"default": {},
		"If": {
			If:      func(a transport.Attempt) bool { return a.Err != nil || a.Response.StatusCode >= 500 },
			OnRetry: func(transport.Attempt) {},
		},
		"none":           {Max: -1},
		"Client":         {Client: configured(func(c *retryablehttp.Client) { c.Logger = new(silent) })},
		"AttemptTimeout": {AttemptTimeout: time.Hour},
		"CheckRetry": {CheckRetry: func(ctx context.Context, resp *http.Response, err error) (bool, error) {
			return err != nil || resp.StatusCode >= 500, ctx.Err()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			rttest.Run(t, rttest.Kit{
				Wrap:      retry.Wrap,
				Requests:  []func(context.Context) *http.Request{readByGET, readByPOST, writeByPOST, upload},
				Responses: api,
				Verbatim:  true,
			})
		})
	}
}

// A silent logger makes every attempt go through retryablehttp.
type silent struct{}

func (*silent) Printf(string, ...any) {}

func readByGET(ctx context.Context) *http.Request {
	return request(ctx, "GET", readURL, "")
}

func readByPOST(ctx context.Context) *http.Request {
	return request(ctx, "POST", "https://api.ok.ru/fb.do", "method=users.getInfo&uids=1")
}

func writeByPOST(ctx context.Context) *http.Request {
	return request(ctx, "POST", "https://api.ok.ru/api/users/setStatus", "status=hello")
}

func upload(ctx context.Context) *http.Request {
	return request(ctx, "POST", "https://up.mycdn.me/uploadImage?apiToken=1", "photo")
}

func request(ctx context.Context, method, url, form string) *http.Request {
	if form == "" {
		r, _ := http.NewRequestWithContext(ctx, method, url, nil)
		return r
	}
	r, _ := http.NewRequestWithContext(ctx, method, url, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}
