package canary

import (
	"bytes"
	"log"
	"log/slog"
	"math"
	"sync"
	"testing"
)

// Logs captures what the program writes by the default loggers of packages log
// and log/slog, at every level, until the test ends. It returns a function
// that returns what was written so far. Tests that use it must not run in
// parallel with others.
func Logs(t testing.TB) (written func() string) {
	t.Helper()
	var b buffer
	writer, flags, logger := log.Writer(), log.Flags(), slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.Level(math.MinInt)})))
	log.SetOutput(&b)
	t.Cleanup(func() {
		slog.SetDefault(logger)
		log.SetOutput(writer) // SetDefault changes both of them
		log.SetFlags(flags)
	})
	return b.String
}

// buffer is a bytes.Buffer for many goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *buffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *buffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
