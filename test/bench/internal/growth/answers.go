package growth

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/go-okru/okru/test/bench/internal/subject"
)

// An Answer is what calls allocate, in bytes and in number, when the response is
// that long.
type Answer struct {
	Size  int64
	Costs []Allocation // one per subject
}

// An Allocation is what one call allocates above the same call of a bare
// client.
type Allocation struct{ Bytes, Allocs int64 }

// Answers measures subjects over responses of those sizes, which come as a
// stream.
func Answers(sizes []int64, subjects []string) ([]Answer, error) {
	var answers []Answer
	for _, size := range sizes {
		bare, err := perCall(subject.Bare, size)
		if err != nil {
			return nil, err
		}
		answer := Answer{Size: size}
		for _, name := range subjects {
			cost, err := perCall(name, size)
			if err != nil {
				return nil, fmt.Errorf("%s, an answer of %d bytes: %w", name, size, err)
			}
			answer.Costs = append(answer.Costs, Allocation{cost.Bytes - bare.Bytes, cost.Allocs - bare.Allocs})
		}
		answers = append(answers, answer)
	}
	return answers, nil
}

// enough is how many bytes of responses show what one call allocates.
const enough = 16 << 20

// perCall returns what one call of a subject allocates. Meanwhile nothing else
// may run: no collection either, which would empty the pools.
func perCall(name string, size int64) (Allocation, error) {
	target := subject.InMemory()
	target.Base = stream{size}
	call, err := subject.Named(name, target)
	if err != nil {
		return Allocation{}, err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer runtime.GC()
	calls := max(1, min(100, enough/size))
	var before, after runtime.MemStats
	for range min(3, calls) { // to fill the pools
		if err := call(io.Discard); err != nil {
			return Allocation{}, err
		}
	}
	runtime.ReadMemStats(&before)
	for range calls {
		if err := call(io.Discard); err != nil {
			return Allocation{}, err
		}
	}
	runtime.ReadMemStats(&after)
	return Allocation{
		Bytes:  int64(after.TotalAlloc-before.TotalAlloc) / calls,
		Allocs: int64(after.Mallocs-before.Mallocs) / calls,
	}, nil
}

// stream responds with an object of that size, which it does not keep.
type stream struct{ size int64 }

const (
	opening = `{"text":"`
	closing = `"}`
)

// RoundTrip implements [http.RoundTripper].
func (s stream) RoundTrip(*http.Request) (*http.Response, error) {
	text := io.LimitReader(letters{}, s.size-int64(len(opening+closing)))
	body := io.MultiReader(strings.NewReader(opening), text, strings.NewReader(closing))
	return subject.Respond(plain{body}, s.size), nil
}

// plain is a body that can only be read, as those from the network.
type plain struct{ io.Reader }

func (plain) Close() error { return nil }

// letters is text without an end.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	const text = "Somebody wrote this, and somebody will read it. "
	n := 0
	for n < len(p) {
		n += copy(p[n:], text)
	}
	return n, nil
}
