package oktest

import (
	"testing"

	"github.com/go-okru/okru/internal/redact"
)

// New returns a [Server] for a test: one for an [App] with the default fields,
// which is closed when t ends. In its log, t then gets a line for each call and
// each upload that the server rejected by itself, with the reason, and one for
// each request to the token endpoint that failed. Package testing shows them if
// the test fails, or with -v. A rejection does not fail the test: a test may
// provoke one.
//
//	func TestFriends(t *testing.T) {
//		srv := oktest.New(t)
//		anna := srv.NewUser("anna", "her password")
//		client := myprogram.NewClient(srv.App().Key, srv.App().Secret, anna.Token(), srv.Transport())
//		…
//	}
//
// In a bubble of [testing/synctest], call it inside the bubble, with the t of
// the bubble, and use [Server.InProcess].
func New(t testing.TB) *Server {
	s := NewServer(App{})
	t.Cleanup(func() {
		t.Helper()
		s.Close()
		for _, c := range s.rejections() {
			t.Logf("oktest: rejected %s: %s", redact.Text(c.Method), redact.Text(c.Refusal))
		}
	})
	return s
}

// rejections returns the requests that failed without a [Fault].
func (s *Server) rejections() []Call {
	var rejected []Call
	for _, journal := range [][]Call{s.Calls(), s.Exchanges(), s.Uploads()} {
		for _, c := range journal {
			if c.Refusal != "" && !c.Faulted {
				rejected = append(rejected, c)
			}
		}
	}
	return rejected
}
