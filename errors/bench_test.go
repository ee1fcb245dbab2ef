package okerrors_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	okerrors "github.com/go-okru/okru/errors"
)

// BenchmarkFromResponse inspects responses of each kind. The cost of a success is
// what every call pays; one allocation is the body that replaces the original.
func BenchmarkFromResponse(b *testing.B) {
	for _, bb := range []struct{ name, body string }{
		{"object", `{"uid":"575645765457","first_name":"Ann","last_name":"Lee"}`},
		{"array", `["575645765457","575645765458"]`},
		{"1MiB", `{"items":["` + strings.Repeat("x", 1<<20) + `"]}`},
		{"error", failure},
	} {
		b.Run(bb.name, func(b *testing.B) {
			body := &rewinder{Reader: strings.NewReader(bb.body)}
			resp := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json;charset=utf-8"}}}
			b.ReportAllocs()
			for b.Loop() {
				body.Seek(0, io.SeekStart)
				resp.Body = body
				okerrors.FromResponse(resp)
			}
		})
	}
}

// BenchmarkFromResponseAgain is what each further layer pays.
func BenchmarkFromResponseAgain(b *testing.B) {
	resp := respond(failure)
	b.ReportAllocs()
	for b.Loop() {
		okerrors.FromResponse(resp)
	}
}

type rewinder struct{ *strings.Reader }

func (rewinder) Close() error { return nil }
