package okerrors_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/rttest"
)

func TestDecodeContract(t *testing.T) {
	rttest.Run(t, rttest.Kit{
		Wrap: okerrors.Decode,
		Requests: []func(context.Context) *http.Request{
			func(ctx context.Context) *http.Request {
				r, _ := http.NewRequestWithContext(ctx, "GET", "https://api.ok.ru/fb.do?method=users.getInfo", nil)
				return r
			},
			func(ctx context.Context) *http.Request {
				r, _ := http.NewRequestWithContext(ctx, "POST", "https://api.ok.ru/fb.do", strings.NewReader("method=users.setStatus"))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				return r
			},
			func(ctx context.Context) *http.Request {
				r, _ := http.NewRequestWithContext(ctx, "PUT", "https://elsewhere.example/", strings.NewReader("x"))
				return r
			},
		},
		Responses: []rttest.Response{
			{Body: `{"error_code":102,"error_msg":"PARAM_SESSION_EXPIRED : Session expired"}`},
			{Header: http.Header{"Invocation-Error": {"104"}}, Body: `<html>`},
			{Body: `<error_response><error_code>101</error_code></error_response>`},
			{Body: `[1,2]`}, {Body: `true`}, {Status: 502, Body: `<html>`},
		},
		Verbatim: true,
	})
}
