package chaos

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// shortest is the length of the shortest secret that can be searched for, and
// of the piece by which they are found.
const shortest = 12

// secrets are all secrets that came up, to be searched for in any text. They
// are safe for concurrent use, and every caller uses them all the time: only a
// new secret takes a lock, or callers would queue here and not in the client.
type secrets struct {
	seen  sync.Map                            // as they were added
	known atomic.Pointer[map[string][]string] // every spelling, by its first bytes; not modified once stored
	mu    sync.Mutex                          // for the replacement of known
}

// add makes s know a secret, also as queries and JSON spell it. Shorter ones
// than shortest cannot be searched for: it panics.
func (s *secrets) add(secret string) {
	if _, old := s.seen.Load(secret); old {
		return
	}
	quoted, _ := json.Marshal(secret)
	s.mu.Lock()
	defer s.mu.Unlock()
	known := make(map[string][]string)
	if old := s.known.Load(); old != nil {
		maps.Copy(known, *old)
	}
	for _, spelling := range []string{secret, url.QueryEscape(secret), string(quoted[1 : len(quoted)-1])} {
		head := spelling[:shortest]
		if !slices.Contains(known[head], spelling) {
			known[head] = append(slices.Clone(known[head]), spelling)
		}
	}
	s.known.Store(&known)
	s.seen.Store(secret, nil)
}

// digestLength is how many hexadecimal digits every signature and every session
// secret has. There are too many signatures to keep, and nothing else in our
// texts has as many in a row.
const digestLength = 32

// isDigest reports whether text is what would be found without being known.
func isDigest(text string) bool { return len(text) == digestLength && digest(text) == text }

// digest returns the first digestLength hexadecimal digits in a row, or "".
func digest(text string) string {
	run := 0
	for i := range len(text) {
		if !isHex(text[i]) {
			run = 0
			continue
		}
		if run++; run == digestLength {
			return text[i+1-run : i+1]
		}
	}
	return ""
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }

// find returns the first secret in text, also if percent-encoded up to three
// times, or "".
func (s *secrets) find(text string) string {
	for range 4 {
		if secret := s.findPlain(text); secret != "" {
			return secret
		}
		if d := digest(text); d != "" {
			return d
		}
		if !strings.Contains(text, "%") {
			break
		}
		text = unescape(text)
	}
	return ""
}

func (s *secrets) findPlain(text string) string {
	known := s.known.Load()
	if known == nil {
		return ""
	}
	for i := 0; i+shortest <= len(text); i++ {
		for _, secret := range (*known)[text[i:i+shortest]] {
			if strings.HasPrefix(text[i:], secret) {
				return secret
			}
		}
	}
	return ""
}

// escape matches one percent-encoded byte. Text has lone percent signs, which
// url.PathUnescape would not stand.
var escape = regexp.MustCompile(`%[0-9a-fA-F]{2}`)

func unescape(text string) string {
	return escape.ReplaceAllStringFunc(text, func(e string) string {
		decoded, err := url.PathUnescape(e)
		if err != nil {
			return e
		}
		return decoded
	})
}
