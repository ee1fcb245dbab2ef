package okerrors_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
)

func request(t testing.TB, url string) *http.Request {
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHeader(t *testing.T) {
	const details = `{"error_msg":"PARAM : bad","error_field":"uid","error_code":100}`
	tests := map[string]struct {
		header, wmf string
		body        string
		want        okerrors.Error
	}{
		"alone":               {header: "101", want: okerrors.Error{Code: 101}},
		"WMF":                 {wmf: "8", want: okerrors.Error{Code: 8}},
		"both":                {header: "101", wmf: "8", want: okerrors.Error{Code: 101}},
		"details":             {header: "100", body: details, want: okerrors.Error{Code: 100, Message: "PARAM : bad", Field: "uid"}},
		"header comes first":  {header: "102", body: details, want: okerrors.Error{Code: 102, Message: "PARAM : bad", Field: "uid"}},
		"foreign key first":   {header: "100", body: `{"x":[{}],` + details[1:], want: okerrors.Error{Code: 100, Message: "PARAM : bad", Field: "uid"}},
		"no code in the body": {header: "100", body: `{"error_msg":"m"}`, want: okerrors.Error{Code: 100, Message: "m"}},
		"details in an old encoding": {header: "100", body: "<error_response><error_msg>PARAM : \xcf\xf0 \u043f\x01</error_msg><error_field>uid</error_field></error_response>",
			want: okerrors.Error{Code: 100, Message: "PARAM : \ufffd\ufffd \u043f\ufffd", Field: "uid"}},
		"details in XML":       {header: "100", body: `<error_response><error_msg>m</error_msg></error_response>`, want: okerrors.Error{Code: 100, Message: "m"}},
		"other XML":            {header: "100", body: `<html><error_msg>m</error_msg></html>`, want: okerrors.Error{Code: 100}},
		"text":                 {header: "3", body: "3:METHOD : Method frien.get not found\r\n", want: okerrors.Error{Code: 3, Message: "METHOD : Method frien.get not found"}},
		"text, name alone":     {header: "3", body: `3:METHOD`, want: okerrors.Error{Code: 3, Message: "METHOD"}},
		"text of another code": {header: "3", body: `4:REQUEST : x`, want: okerrors.Error{Code: 3}},
		"text with a mark":     {header: "4242", body: "\ufeff4242:NEW : \xff", want: okerrors.Error{Code: 4242, Message: "NEW : \ufffd"}},
		"text without a code":  {header: "3", body: `METHOD : x`, want: okerrors.Error{Code: 3}},
		"number":               {header: "3", body: `3`, want: okerrors.Error{Code: 3}},
		"array":                {header: "3", body: `[` + details + `]`, want: okerrors.Error{Code: 3}},
		"zero, then WMF":       {header: "0", wmf: "8", want: okerrors.Error{Code: 8}},
		"one":                  {header: "1", want: okerrors.Error{Code: 1}},
		"nonsense, then WMF":   {header: "x", wmf: "8", want: okerrors.Error{Code: 8}},
		"zero":                 {header: "0"},
		"negative":             {header: "-1"},
		"nonsense":             {header: "yes"},
		"nonsense, then body":  {header: "", wmf: "0", body: details, want: okerrors.Error{Code: 100, Message: "PARAM : bad", Field: "uid"}},
		"neither":              {body: `{"uid":1}`},
		"too big to be a code": {header: "99999999999999999999"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			resp := respond(tt.body)
			if tt.header != "" {
				resp.Header.Set("Invocation-Error", tt.header)
			}
			if tt.wmf != "" {
				resp.Header.Set("WMF-Invocation-Error", tt.wmf)
			}
			if tt.want.Code == 0 {
				mustPass(t, resp)
			} else if e := mustError(t, resp); e.Code != tt.want.Code || e.Message != tt.want.Message || e.Field != tt.want.Field {
				t.Errorf("FromResponse = %v (field %q), want %v (field %q)", e, e.Field, &tt.want, tt.want.Field)
			}
			mustRead(t, resp, tt.body)
		})
	}
}

func TestFields(t *testing.T) {
	tests := map[string]struct {
		body                string
		message, field, url string
		data, custom        string
	}{
		"all": {
			body: `{"error_code":100,"error_msg":"PARAM : \u0430","error_field":"uid","error_data":{"a" : 1},` +
				`"custom_error":{"x":[1]},"ver_redirect_url":"https://ok.ru/a","verification_url":"https://ok.ru/b"}`,
			message: "PARAM : а", field: "uid", url: "https://ok.ru/a", data: `{"a" : 1}`, custom: `{"x":[1]}`,
		},
		"none":              {body: `{"error_code":1}`},
		"data null":         {body: `{"error_code":1,"error_data":null,"custom_error":null}`, data: "null", custom: "null"},
		"data string":       {body: `{"error_code":10,"error_data":"PUBLISH_TO_STREAM"}`, data: `"PUBLISH_TO_STREAM"`},
		"data number":       {body: `{"error_code":10,"error_data":5}`, data: `5`},
		"data of no JSON":   {body: `{"error_code":10,"error_data":[}}`},
		"error":             {body: `{"error":"m","error_code":1}`, message: "m"},
		"error_msg first":   {body: `{"error":"m","error_msg":"n","error_code":1}`, message: "n"},
		"error object":      {body: `{"error":{"a":1},"error_code":1}`},
		"error_page":        {body: `{"error_page":{"message":{"plain":"p"}},"error_code":1}`, message: "p"},
		"error_page odd":    {body: `{"error_page":[],"error_code":1}`},
		"null message":      {body: `{"error_msg":null,"error_code":1}`},
		"verification_url":  {body: `{"error_code":403,"verification_url":"v"}`, url: "v"},
		"last value counts": {body: `{"error_code":1,"error_msg":"a","error_msg":"b"}`, message: "b"},
		"XML": {
			body: `<error_response><error_code>10</error_code><error_msg> a &lt; "b" <![CDATA[<c>]]></error_msg>` +
				`<error_data>PUBLISH</error_data><error_field>f</error_field><ver_redirect_url>u</ver_redirect_url><custom_error/></error_response>`,
			message: `a < "b" <c>`, data: `"PUBLISH"`, field: "f", url: "u",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			resp := respond(tt.body)
			resp.StatusCode = 503
			e := mustError(t, resp)
			for _, c := range []struct{ name, got, want string }{
				{"Message", e.Message, tt.message},
				{"Field", e.Field, tt.field},
				{"URL", e.URL, tt.url},
				{"Data", string(e.Data), tt.data},
				{"Custom", string(e.Custom), tt.custom},
			} {
				if c.got != c.want {
					t.Errorf("%s = %q, want %q", c.name, c.got, c.want)
				}
			}
			if e.Status != 503 {
				t.Errorf("Status = %d", e.Status)
			}
		})
	}
}

func TestMethod(t *testing.T) {
	form, err := http.NewRequest("POST", "https://api.ok.ru/fb.do", strings.NewReader("application_key=k&method=friends.get"))
	if err != nil {
		t.Fatal(err)
	}
	form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for want, r := range map[string]*http.Request{
		"users.getInfo":        request(t, "https://api.ok.ru/fb.do?format=json&method=users.getInfo"),
		"users.getCurrentUser": request(t, "https://api.ok.ru/api/users/getCurrentUser?method=x.y"),
		"friends.get":          form,
		"":                     nil,
	} {
		resp := respond(`{"error_code":1}`)
		resp.Request = r
		if e := mustError(t, resp); e.Method != want {
			t.Errorf("Method = %q, want %q", e.Method, want)
		}
	}
}

// TestReadsNoMore gives bodies that stall, as that of a slow response would,
// right after what decides.
func TestReadsNoMore(t *testing.T) {
	for _, chunks := range [][]string{
		{`[`}, {`"`}, {`t`}, {"\x1f"}, {" ", "\n", "7"},
		{`{"uid"`}, {`{ "u`}, {`{"error_`, `msg":1,"a":`}, {"{", "\n", "\"", "s", "essions\":"}, {`{"xrror`}, {`{"`, `it`, `ems"`}, {`{}`}, {`{"error_msg":"x","a":`}, {`{x`},
		{`<html>`}, {`<!DOCTYPE html>`}, {`<?xml version="1.0"?>`, `<users_getInfo_response xmlns="x">`}, {`<!-- x -->`, `x<`},
	} {
		mustPass(t, respondFrom(stall(t, chunks...)))
	}
	for _, body := range []string{`[`, `"`, `t`, `{}`} {
		resp := respondFrom(stall(t, body))
		resp.Header.Set("Invocation-Error", "8")
		mustError(t, resp)
	}
	for _, chunks := range [][]string{
		{`{"error_code":102}`}, {`{"error_code":102,`, `"x":{}`, `}`},
		{`<error_response><error_code>102</error_code>`, `</error_response>`},
	} {
		mustError(t, respondFrom(stall(t, chunks...)))
	}
}

func TestReadsNoMoreThan64KiB(t *testing.T) {
	const limit = 64 << 10
	for name, body := range map[string]string{
		"spaces":  strings.Repeat(" ", 2*limit),
		"key":     `{"` + strings.Repeat("error", limit),
		"string":  `{"error_msg":"` + strings.Repeat("x", 2*limit) + `","error_code":102}`,
		"array":   `{"errors":[` + strings.Repeat("1,", limit) + `1],"error_code":102}`,
		"comment": `<!--` + strings.Repeat("x", 2*limit) + `--><error_response><error_code>1</error_code></error_response>`,
		"name":    `<` + strings.Repeat("x", 2*limit),
	} {
		t.Run(name, func(t *testing.T) {
			rest := &source{chunks: []string{body}}
			resp := respondFrom(rest)
			mustPass(t, resp)
			if read := len(body) - len(strings.Join(rest.chunks, "")); read != limit {
				t.Errorf("read %d bytes, want %d", read, limit)
			}
			mustRead(t, resp, body)
		})
	}
}

// TestLongError has an error of which the first 64 KiB say enough.
func TestLongError(t *testing.T) {
	filler := strings.Repeat("x", 100<<10)
	for _, body := range []string{
		`{"error_code":102,"error_field":"f","error_msg":"` + filler + `","error_data":1}`,
		`<error_response><error_code>102</error_code><error_field>f</error_field><error_msg>` + filler + `</error_msg></error_response>`,
	} {
		for _, chunks := range [][]string{{body}, bytewise(body)} {
			resp := respondFrom(&source{chunks: chunks})
			e := mustError(t, resp)
			if e.Code != 102 || e.Field != "f" || e.Message != "" || e.Data != nil {
				t.Errorf("FromResponse = %v, field %q, data %s", e, e.Field, e.Data)
			}
			mustRead(t, resp, body)
		}
	}
}

// TestDeepNesting would overflow the stack of a scanner that recurses.
func TestDeepNesting(t *testing.T) {
	for _, open := range []string{"[", `{"a":`} {
		body := `{"error_code":102,"error_data":` + strings.Repeat(open, 60<<10/len(open))
		mustError(t, respond(body))
	}
}

func TestWithoutBody(t *testing.T) {
	mustPass(t, nil)
	mustPass(t, &http.Response{})
	mustPass(t, &http.Response{StatusCode: 204, Body: http.NoBody})
	for _, code := range []okerrors.Code{1, 8} {
		for _, resp := range []*http.Response{{}, {Body: http.NoBody}} {
			resp.Header = http.Header{"Invocation-Error": {strconv.Itoa(int(code))}}
			e := mustError(t, resp)
			if again := mustError(t, resp); e.Code != code || again != e {
				t.Errorf("FromResponse = %p %v, then %p", e, e, again)
			}
			mustRead(t, resp, "")
			resp.Body.Close()
		}
	}
}

// upgraded is the body of a response with status 101.
type upgraded struct{ source }

func (u *upgraded) Write(p []byte) (int, error) { return len(p), nil }

func TestSwitchingProtocolsIsLeftAlone(t *testing.T) {
	conn := &upgraded{source{chunks: []string{`{"error_code":102}`}}}
	resp := respondFrom(conn)
	resp.StatusCode = http.StatusSwitchingProtocols
	resp.Header.Set("Invocation-Error", "8")
	mustPass(t, resp)
	if resp.Body != conn || conn.reads != 0 {
		t.Errorf("the connection was replaced or read")
	}
}

// TestDeepNestingIsNoError has more levels than encoding/json decodes.
func TestDeepNestingIsNoError(t *testing.T) {
	body := `{"errors":` + strings.Repeat("[", 60<<10) + strings.Repeat("]", 60<<10) + `,"error_code":102}`
	resp := respond(body)
	mustPass(t, resp)
	mustRead(t, resp, body)
}

// TestWrappedBody inspects again where another layer has wrapped the body, and
// finds the same.
func TestWrappedBody(t *testing.T) {
	bodies := []string{failure, success, "[1]", "", `{"error_msg":"` + strings.Repeat("x", 100<<10) + `","error_code":1}`}
	for name, tt := range failures {
		if !strings.Contains(name, "number") {
			bodies = append(bodies, tt.body)
		}
	}
	for _, body := range bodies {
		resp := respond(body)
		first, ok := okerrors.FromResponse(resp)
		for range 3 {
			resp.Body = struct{ io.ReadCloser }{resp.Body}
			e, again := okerrors.FromResponse(resp)
			if again != ok || ok && !same(e, first) {
				t.Errorf("%.60q: %v, %v; before: %v, %v", body, e, again, first, ok)
			}
		}
		mustRead(t, resp, body)
	}
}

// TestSloppyMessages keeps the messages of responses that are not valid JSON.
func TestSloppyMessages(t *testing.T) {
	for body, want := range map[string]string{
		"{\"error_code\":100,\"error_msg\":\"PARAM : a\nb\"}":            "PARAM : a b",
		"{\"error_msg\":\"\x00\x01\x1f\ttext\r\n\",\"error_code\":100}":  "    text  ",
		"{\"error_code\":100,\"error_msg\":\"\xcf\xf0\xe8 \xd0\xb0\"}":   "\ufffd\ufffd\ufffd а",
		"{\"error_code\":100,\n\t\"error_msg\":\r\n\"\\u0430\\\"\\n\"}":  "а\"\n",
		`{"error_code":100,"error_msg":"\ud800x"}`:                       "\ufffdx",
		`{"error_code":100,"error_msg":12}`:                              "12",
		"\ufeff \n{\"error_code\":100,\"error_msg\":\"m\",\"x\":{}}tail": "m",
	} {
		for how, resp := range arrivals(body) {
			if e := mustError(t, resp); e.Message != want {
				t.Errorf("%q %s: Message = %q, want %q", body, how, e.Message, want)
			}
			mustRead(t, resp, body)
		}
	}
}

// TestParse finds what FromResponse finds, and more.
func TestParse(t *testing.T) {
	for name, tt := range failures {
		if e, ok := okerrors.Parse([]byte(tt.body)); !ok || e.Code != tt.code || e.Status != 0 || e.Method != "" {
			t.Errorf("%s: Parse = %v, %v; want %d", name, e, ok, tt.code)
		}
	}
	for body, want := range map[string]okerrors.Error{
		`{"uid":"1","error_code":102,"error_msg":"m"}`:              {Code: 102, Message: "m"},
		`{"items":[{"error_code":1}],"x":"\"","error_code":102}`:    {Code: 102},
		`{"uid":"1","\u0065rror_code":102}`:                         {Code: 102},
		`{"x":"` + strings.Repeat("x", 1<<20) + `","error_code":5}`: {Code: 5},
		"3:METHOD : Method frien.get not found":                     {Code: 3, Message: "METHOD : Method frien.get not found"},
		"\ufeff102:PARAM_SESSION_EXPIRED : Session expired\n":       {Code: 102, Message: "PARAM_SESSION_EXPIRED : Session expired"},
		"1:UNKNOWN : x":   {Code: 1, Message: "UNKNOWN : x"},
		"9999:SYSTEM : x": {Code: 9999, Message: "SYSTEM : x"},
	} {
		if e, ok := okerrors.Parse([]byte(body)); !ok || e.Code != want.Code || e.Message != want.Message {
			t.Errorf("%.60s: Parse = %v, %v; want %v", body, e, ok, &want)
		}
	}
	for name, body := range successes {
		if name == "object" || name == "text" {
			continue // see above
		}
		if e, ok := okerrors.Parse([]byte(body)); ok || e != nil {
			t.Errorf("%s: Parse = %v, %v; want none", name, e, ok)
		}
	}
	for _, body := range []string{
		"3:SERVICE : x", "4242:NEW : x", "3", "3:", "12:30", "-3:METHOD : x", "3:METHOD", "METHOD : x",
		`[{"error_code":102}]`, `{"a":{"error_code":102}}`, `{"a":"error_code"}`, `{"a":"\u0065rror_code"}`,
	} {
		if e, ok := okerrors.Parse([]byte(body)); ok || e != nil {
			t.Errorf("%s: Parse = %v, %v; want none", body, e, ok)
		}
	}
	if e, ok := okerrors.Parse(nil); ok || e != nil {
		t.Errorf("Parse(nil) = %v, %v", e, ok)
	}
}
