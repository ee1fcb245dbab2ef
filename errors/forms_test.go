package okerrors_test

import (
	"net/http"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
)

// failures are bodies that are API errors, with the code of each.
var failures = map[string]struct {
	body string
	code okerrors.Code
}{
	"documented":       {`{"error_code":101,"error_data":null,"error_msg":"PARAM_API_KEY : Application not exist"}`, 101},
	"code last":        {`{"error_msg":"x","error_data":{"a":[1,{"b":"}"}]},"error_code":101}`, 101},
	"code alone":       {`{"error_code":2}`, 2},
	"spaced":           {" \r\n\t{ \"error_code\"\n:\t102 , \"error_msg\" : \"x\" } ", 102},
	"indented":         {"{\n  \"error_code\": 102,\n  \"error_msg\": \"x\"\n}\n", 102},
	"byte order mark":  {"\ufeff{\"error_code\":102}", 102},
	"escaped key":      {`{"\u0065rror_code":102}`, 102},
	"escapes before":   {`{"error_msg":"a\\\"b\\","error_code":102}`, 102},
	"unknown code":     {`{"error_code":424242}`, 424242},
	"controls":         {"{\"error_msg\":\"a\x00b\nc\",\"error_code\":102}", 102},
	"invalid UTF-8":    {"{\"error_msg\":\"\xff\",\"error_code\":102}", 102},
	"0 first":          {`{"error_code":0,"error_code":102}`, 102},
	"empty key first":  {`{"error":{"":1},"error_code":102}`, 102},
	"negative":         {`{"error_code":-1}`, -1},
	"all keys":         {`{"custom_error":null,"ver_redirect_url":"u","verification_url":"v","session_key":"k","session_secret_key":"s","error_x":1,"errors":[],"error_code":107}`, 107},
	"foreign key last": {`{"error_code":102,"items":[1,2],"error_msg":"x"}`, 102},
	"last code counts": {`{"error_code":1,"error_code":2}`, 2},
	"last is integer":  {`{"error_code":"1","error_code":2}`, 2},
	"truncated":        {`{"error_code":102,"error_msg":"PAR`, 102},
	"truncated again":  {`{"error_code":102,"error_code":1`, 102},
	"no key":           {`{"error_code":102,5:1,"error_code":1}`, 102},
	"followed by more": {`{"error_code":102}{"error_code":103}`, 102},
	"XML": {`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
		<error_response xmlns="http://api.forticom.com/1.0/"><error_code>102</error_code><error_msg>x</error_msg></error_response>`, 102},
	"XML with prefix":     {`<ns2:error_response xmlns:ns2="http://api.forticom.com/1.0/"><ns2:error_code> 102 </ns2:error_code></ns2:error_response>`, 102},
	"XML without prolog":  {"\n<error_response><error_code>102</error_code></error_response >", 102},
	"XML comment":         {`<!-- <x> - > --><error_response ><error_code>102</error_code></error_response>`, 102},
	"XML with a mark":     {"\ufeff<?xml version=\"1.0\"?><error_response><error_code>102</error_code></error_response>", 102},
	"XML truncated":       {`<error_response><error_code>102</error_code><error_msg>PAR`, 102},
	"XML with more":       {`<error_response><error_code>102</error_code></error_response><x><error_code>1</error_code></x>`, 102},
	"XML, sloppy":         {"<error_response a=b><error_msg>a & b &nbsp;\uffff</error_msg><error_code>102</error_code></error_response>", 102},
	"XML with a control":  {"<error_response><error_msg>\x00\ufffe</error_msg><error_code>102</error_code></error_response>", 102},
	"XML, cyrillic first": {"<?xml version='1.0' encoding='windows-1251'?><error_response><error_msg>\xcf\xf0\xe8</error_msg><error_code>102</error_code></error_response>", 102},
	"XML in cyrillic":     {"<?xml version='1.0' encoding='windows-1251'?><error_response><error_code>102</error_code><error_msg>\xe0</error_msg></error_response>", 102},
}

// successes are bodies that are not.
var successes = map[string]string{
	"empty":              ``,
	"spaces":             "  \n",
	"object":             `{"uid":"1","error_code":102}`,
	"empty object":       `{}`,
	"array":              `[{"error_code":102}]`,
	"string":             `"error_code"`,
	"number":             `102`,
	"true":               `true`,
	"null":               `null`,
	"text":               `3:METHOD : Method frien.get not found`,
	"HTML":               `<!DOCTYPE html><html><error_response><error_code>102</error_code></error_response></html>`,
	"html":               `<html><body>{"error_code":102}</body></html>`,
	"XML":                `<users_getInfo_response><error_response><error_code>102</error_code></error_response></users_getInfo_response>`,
	"XML, no code":       `<error_response><error_msg>x</error_msg></error_response>`,
	"XML, nested code":   `<error_response><x><error_code>102</error_code></x></error_response>`,
	"XML, similar":       `<my_error_response><error_code>102</error_code></my_error_response>`,
	"code as a string":   `{"error_code":"102"}`,
	"code as a float":    `{"error_code":102.0}`,
	"code with exponent": `{"error_code":1e2}`,
	"zero":               `{"error_code":0}`,
	"zero, data":         `{"error_code":0,"error_msg":"","items":[]}`,
	"negative zero":      `{"error_code":-0}`,
	"XML zero":           `<error_response><error_code>0</error_code></error_response>`,
	"code null":          `{"error_code":null}`,
	"code true":          `{"error_code":true}`,
	"code nested":        `{"error_code":{"error_code":102}}`,
	"code in an array":   `{"error_data":[{"error_code":102}]}`,
	"code in a string":   `{"error_msg":"\",\"error_code\":102,\""}`,
	"code of no JSON":    `{"error_code":0102}`,
	"code of plus":       `{"error_code":+102}`,
	"code minus":         `{"error_code":-}`,
	"code too big":       `{"error_code":99999999999999999999}`,
	"last is no integer": `{"error_code":102,"error_code":"x"}`,
	"unquoted key":       `{error_code:102}`,
	"no colon":           `{"error_code" 102}`,
	"no value":           `{"error_code":,"error_code":102}`,
	"no comma":           `{"error_msg":"x" "error_code":102}`,
	"similar key":        `{"Error_Code":102}`,
	"code cut off":       `{"error_code":102`,
	"brace":              `{`,
	"key cut off":        `{"error_co`,
	"bad escape":         `{"\qrror_code":102}`,
	"OAuth error":        `{"error":"invalid_token","error_description":"Invalid refresh token structure"}`,
	"gzip":               "\x1f\x8b\x08\x00{\"error_code\":102}",
}

func TestFailures(t *testing.T) {
	for name, tt := range failures {
		t.Run(name, func(t *testing.T) {
			for how, resp := range arrivals(tt.body) {
				if e := mustError(t, resp); e.Code != tt.code {
					t.Errorf("%s: code %d, want %d", how, e.Code, tt.code)
				}
				mustRead(t, resp, tt.body)
			}
		})
	}
}

func TestSuccesses(t *testing.T) {
	for name, body := range successes {
		t.Run(name, func(t *testing.T) {
			for _, resp := range arrivals(body) {
				mustPass(t, resp)
				mustRead(t, resp, body)
			}
		})
	}
}

// arrivals returns responses with body that come in differently.
func arrivals(body string) map[string]*http.Response {
	return map[string]*http.Response{
		"at once":       respond(body),
		"with EOF":      respondFrom(&source{chunks: []string{body}, together: true}),
		"byte by byte":  respondFrom(&source{chunks: bytewise(body)}),
		"as it happens": respondFrom(&source{chunks: append([]string{"", ""}, strings.SplitAfterN(body, ":", 3)...)}),
	}
}
