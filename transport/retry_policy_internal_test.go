package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/roundtrip"
)

// Which outcomes of a write mean that it may have run, at the bounds of the
// statuses and with each kind of error.
func TestMayHaveRun(t *testing.T) {
	const write, read, upload = "https://api.ok.ru/fb.do?method=users.setStatus", "https://api.ok.ru/fb.do?method=users.getInfo", "https://up.mycdn.me/upload"
	api := func(code okerrors.Code, status int) *okerrors.Error {
		return &okerrors.Error{Code: code, Status: status}
	}
	for _, test := range []struct {
		status int             // 0: no response
		code   *okerrors.Error // in the response
		header string          // Retry-After
		err    error
		want   bool
	}{
		{status: 200, want: true},
		{status: 399, want: true},
		{status: 400, want: false},
		{status: 429, want: false},
		{status: 499, want: false},
		{status: 500, want: true},
		{status: 501, want: true},
		{status: 503, want: true},
		{status: 503, header: "1", want: false},
		{status: 200, code: api(okerrors.CodeService, 200), want: true},
		{status: 400, code: api(okerrors.CodeUnknown, 400), want: true},
		{status: 503, code: api(okerrors.CodeService, 503), header: "1", want: true},
		{status: 500, code: api(okerrors.CodeFloodBlocked, 500), want: false},
		{status: 500, code: api(okerrors.CodeParam, 500), want: false},
		{status: 200, code: api(4242, 200), want: false},
		{status: 499, code: api(4242, 499), want: false},
		{status: 500, code: api(4242, 500), want: true},
		{status: 503, code: api(4242, 503), header: "1", want: false},
		{err: api(okerrors.CodeService, 200), want: true},
		{err: api(okerrors.CodeFloodBlocked, 500), want: false},
		{err: api(okerrors.CodeParam, 500), want: false},
		{err: api(4242, 200), want: false},
		{err: api(4242, 499), want: false},
		{err: api(4242, 500), want: true},
		{err: errors.New("broken"), want: false},
		{err: &attemptError{err: errors.New("broken"), sent: true, write: true}, want: true},
		{err: &attemptError{err: errors.New("broken"), write: true}, want: false},
		{err: &attemptError{err: errors.New("broken"), sent: true}, want: false},
		{err: &net.DNSError{}, want: false},
	} {
		for _, url := range []string{write, read, upload} {
			r, err := http.NewRequestWithContext(t.Context(), "POST", url, nil)
			if err != nil {
				t.Fatal(err)
			}
			a := Attempt{N: 1, Request: r, Err: test.err}
			if test.status != 0 {
				a.Response = &http.Response{StatusCode: test.status, Header: http.Header{}, Body: http.NoBody}
				a.verdict = roundtrip.Verdict{Inspected: true}
				if test.header != "" {
					a.Response.Header.Set("Retry-After", test.header)
				}
				if test.code != nil {
					a.verdict.Err = test.code
				}
			}
			if got, want := a.mayHaveRun(), test.want && url == write; got != want {
				t.Errorf("%s: status %d with %v, error %v: may have run is %t, want %t", url, test.status, test.code, test.err, got, want)
			}
		}
	}
}

// An attempt shows a server in good health if the call was judged, and not if it
// was too much for the server.
func TestIsSuccess(t *testing.T) {
	for _, test := range []struct {
		status int // 0: an error
		code   okerrors.Code
		want   bool
	}{
		{0, 0, false}, {200, 0, true}, {404, 0, true}, {499, 0, true}, {429, 0, false}, {500, 0, false}, {503, 0, false},
		{200, okerrors.CodeParam, true}, {200, okerrors.CodeService, false}, {200, okerrors.CodeFloodBlocked, false}, {500, okerrors.CodeParam, false},
	} {
		r, _ := http.NewRequestWithContext(context.Background(), "GET", "https://api.ok.ru/fb.do?method=users.getInfo", nil)
		a := Attempt{N: 1, Request: r, Err: errors.New("broken")}
		if test.status != 0 {
			a.Err, a.Response = nil, &http.Response{StatusCode: test.status, Header: http.Header{}, Body: http.NoBody}
			a.verdict.Inspected = true
		}
		if test.code != 0 {
			a.verdict.Err = &okerrors.Error{Code: test.code, Status: test.status}
		}
		if got := a.isSuccess(); got != test.want {
			t.Errorf("status %d, code %d: isSuccess is %t", test.status, test.code, got)
		}
	}
}
