package oauth_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/transport"
)

// Variables that make the test binary a process of TestProcesses: the file
// they share, the fake endpoint, and the session that the API rejected, if any.
const (
	envFile     = "OKRU_TEST_SESSION_FILE"
	envEndpoint = "OKRU_TEST_TOKEN_ENDPOINT"
	envRejected = "OKRU_TEST_REJECTED"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(envFile); path != "" {
		os.Exit(beProcess(path))
	}
	if path := os.Getenv(envSaves); path != "" {
		os.Exit(saveForever(path))
	}
	os.Exit(m.Run())
}

// beProcess gets a session as one of many programs that share a file, has it
// rejected if it is to be, and prints what it has in the end.
func beProcess(path string) int {
	local := transport.Func(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host = "http", os.Getenv(envEndpoint)
		return http.DefaultTransport.RoundTrip(r)
	})
	g := oauth.Refresh{ClientID: "1", ClientSecret: "2", RefreshToken: "3", HTTPClient: &http.Client{Transport: local}}
	s := oauth.NewSource(g, oauth.Options{Store: oauth.FileStore(path)})
	if rejected, err := s.Token(); err == nil && rejected.AccessToken == os.Getenv(envRejected) {
		s.Invalidate(rejected) // else another process was faster
	}
	t, err := s.Token()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(os.Getpid(), t.AccessToken)
	return 0
}

// Eight processes that share a file need one request, whether the file is new
// or its session was rejected.
func TestProcesses(t *testing.T) {
	for name, rejected := range map[string]string{"first sign-in": "", "rejected session": "old"} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(100 * time.Millisecond) // so that the others come in the meantime
				fmt.Fprintf(w, `{"access_token":"T%d","refresh_token":"R","expires_in":"1800"}`, requests.Add(1))
			}))
			defer server.Close()
			path := filepath.Join(t.TempDir(), "session.json")
			if rejected != "" {
				old := &oauth2.Token{AccessToken: rejected, RefreshToken: "R", Expiry: time.Now().Add(10 * time.Minute)}
				if err := oauth.FileStore(path).Save(t.Context(), old); err != nil {
					t.Fatal(err)
				}
			}
			outputs := runProcesses(t.Context(), t, 8, envFile+"="+path, envEndpoint+"="+strings.TrimPrefix(server.URL, "http://"), envRejected+"="+rejected)
			pids := make(map[string]bool)
			for _, out := range outputs {
				pid, access, _ := strings.Cut(strings.TrimSpace(out), " ")
				pids[pid] = true
				if access != "T1" {
					t.Errorf("a process says %q, want the session T1", out)
				}
			}
			t.Logf("processes %v: %d token requests", pids, requests.Load())
			if requests.Load() != 1 || len(pids) != 8 {
				t.Errorf("%d requests by %d processes, want 1 by 8", requests.Load(), len(pids))
			}
		})
	}
}

// runProcesses runs this binary n times at once and returns what each printed.
func runProcesses(ctx context.Context, t *testing.T, n int, env ...string) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	commands := make([]*exec.Cmd, n)
	outputs := make([]bytes.Buffer, n)
	for i := range commands {
		commands[i] = exec.CommandContext(ctx, self)
		commands[i].Env = append(os.Environ(), env...)
		commands[i].Stdout, commands[i].Stderr = &outputs[i], &outputs[i]
		if err := commands[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	texts := make([]string, n)
	for i, c := range commands {
		if err := c.Wait(); err != nil {
			t.Errorf("process %d: %v", c.Process.Pid, err)
		}
		texts[i] = outputs[i].String()
	}
	return texts
}
