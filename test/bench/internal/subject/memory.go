package subject

import (
	"io"
	"net/http"
	"strings"

	"golang.org/x/oauth2"
)

// Answer is the body of every response.
const Answer = `{"uid":"1234567890","name":"Somebody","locale":"ru","age":30}`

// query is a GET of 5 parameters.
const query = "/fb.do?method=users.getInfo&uids=1234567890,2345678901&fields=uid,name&format=json&__online=false"

// InMemory is a target that responds from memory.
func InMemory() Target { return target(Memory{}, "https", "api.ok.ru") }

func target(base http.RoundTripper, scheme, host string) Target {
	return Target{
		Base: base,
		URL:  scheme + "://" + host + query,
		Host: host,
		Key:  "ABCDEFGHIGKLMNOPK", Secret: "ABC123DEF456GHI789JKL123",
		Token: &oauth2.Token{AccessToken: "-s-84W-s3egarWUsbkq-IWTucuedzTKT8VUXIA.s4Xx8IW7"},
		Rate:  Unhindered,
	}
}

// Memory answers every request at once. It keeps nothing, so that it costs the
// same for all.
type Memory struct{}

var jsonHeader = http.Header{"Content-Type": {"application/json;charset=utf-8"}}

// RoundTrip implements [http.RoundTripper].
func (Memory) RoundTrip(*http.Request) (*http.Response, error) {
	return Respond(io.NopCloser(strings.NewReader(Answer)), int64(len(Answer))), nil
}

// Respond returns a response of OK with that body.
func Respond(body io.ReadCloser, size int64) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: jsonHeader, ContentLength: size, Body: body,
	}
}
