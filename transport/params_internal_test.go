package transport

import (
	"runtime"
	"strings"
	"testing"
	"unsafe"
)

// A signed copy fills a size of memory to the last byte. With one more it would
// take the next size, and a slower way to get it. http.Request grows with Go.
func TestSignedCopyFitsItsMemory(t *testing.T) {
	if size := unsafe.Sizeof(signedCopy{}); size > 512 && strings.HasPrefix(runtime.Version(), "go1.26") {
		t.Errorf("a signedCopy has %d bytes; want 512 at most", size)
	}
}
