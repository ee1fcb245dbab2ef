package okru_test

import (
	"crypto/md5"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// The benchmarks of this file compare two things in one run: they take turns
// in short rounds, and the median of the ratios of neighbouring rounds is
// reported. On a noisy machine that says more than two separate figures.

const (
	benchToken  = "-s-84W-s3egarWUsbkq-IWTucuedzTKT8VUXIA.s4Xx8IW7"
	benchSecret = "ABC123DEF456GHI789JKL123"
	benchURL    = "https://api.ok.ru/fb.do?method=users.getInfo&uids=1234567890,2345678901&fields=uid,name&format=json&__online=false"
)

// memory answers from memory with a small object.
type memory struct{}

const smallResponse = `{"uid":"1234567890","name":"Somebody","locale":"ru","age":30}`

func (memory) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: jsonHeader,
		ContentLength: int64(len(smallResponse)), Body: io.NopCloser(strings.NewReader(smallResponse)),
	}, nil
}

var jsonHeader = http.Header{"Content-Type": {"application/json;charset=utf-8"}}

// paired runs subject and peer in turns and reports their ratio.
func paired(b *testing.B, subject, peer func()) {
	const calls = 200
	round := func(f func()) time.Duration {
		start := time.Now()
		for range calls {
			f()
		}
		return time.Since(start)
	}
	var ratios, costs []float64
	b.ReportAllocs()
	for b.Loop() {
		p, s := round(peer), round(subject)
		ratios = append(ratios, float64(s)/float64(p))
		costs = append(costs, float64(s)/calls)
	}
	b.ReportMetric(median(ratios), "x-peer")
	b.ReportMetric(median(costs), "ns/call")
	b.ReportMetric(testing.AllocsPerRun(100, subject), "allocs/call")
	b.ReportMetric(testing.AllocsPerRun(100, subject)-testing.AllocsPerRun(100, peer), "allocs-over-peer")
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// The Signer's whole cost, copy of the request included, against MD5 and hex
// of the bytes that are signed.
func BenchmarkSignVersusMD5(b *testing.B) {
	resp := &http.Response{StatusCode: 200, Header: jsonHeader, Body: http.NoBody}
	s := transport.Signer{ApplicationKey: "ABCDEFGHIGKLMNOPK", ApplicationSecret: benchSecret, TokenSource: oauth.Static(benchToken, "")}
	rt := s.Wrap(transport.Func(func(*http.Request) (*http.Response, error) { return resp, nil }))
	r, err := http.NewRequest("GET", benchURL, nil)
	if err != nil {
		b.Fatal(err)
	}
	text := []byte("__online=falseapplication_key=ABCDEFGHIGKLMNOPKfields=uid,nameformat=jsonmethod=users.getInfouids=1234567890,2345678901" +
		transport.DeriveSecret(benchToken, benchSecret))
	var sig [2 * md5.Size]byte
	paired(b, func() { _, _ = rt.RoundTrip(r) }, func() {
		sum := md5.Sum(text)
		hex.Encode(sig[:], sum[:])
	})
}

// The stack against a bare client, both over a response from memory.
func BenchmarkStackVersusBare(b *testing.B) {
	client, err := okru.NewClient(okru.Config{
		ApplicationKey: "ABCDEFGHIGKLMNOPK", ApplicationSecret: benchSecret, TokenSource: oauth.Static(benchToken, ""), Base: memory{},
	})
	if err != nil {
		b.Fatal(err)
	}
	bare := &http.Client{Transport: memory{}}
	r, err := http.NewRequest("GET", benchURL, nil)
	if err != nil {
		b.Fatal(err)
	}
	do := func(c *http.Client) func() {
		return func() {
			resp, err := c.Do(r)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}
	paired(b, do(client), do(bare))
}
