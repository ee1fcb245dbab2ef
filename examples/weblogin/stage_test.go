package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/go-okru/okru/oktest"
)

// A stage is a site, the fake behind it, and a user with a browser.
type stage struct {
	t       *testing.T
	fake    *oktest.Server
	user    *oktest.User
	dir     string
	http    *httptest.Server
	visitor *visitor
}

func newStage(t *testing.T) *stage {
	t.Helper()
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	s := &stage{t: t, fake: oktest.NewServer(oktest.App{}), dir: t.TempDir()}
	t.Cleanup(s.fake.Close)
	s.http = httptest.NewUnstartedServer(nil)
	s.start()
	s.user = s.fake.NewUser(fakeLogin, fakePassword)
	s.http.Start()
	t.Cleanup(s.http.Close)
	s.visitor = s.newVisitor()
	return s
}

// start starts the program, or starts it again: all it knew is gone.
func (s *stage) start() {
	s.t.Helper()
	site, err := newSite(newFake(s.fake), "http://"+s.http.Listener.Addr().String(), s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	s.http.Config.Handler = site.handler()
}

func (s *stage) newVisitor() *visitor {
	s.t.Helper()
	h, err := newVisitor(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return h
}

func (s *stage) signIn() {
	s.t.Helper()
	for _, err := range []error{
		s.visitor.open(s.http.URL + "/signin"),
		s.visitor.submit(url.Values{"fr.email": {fakeLogin}, "fr.password": {fakePassword}}),
		s.visitor.submit(url.Values{"button_accept_request": {""}}),
	} {
		if err != nil {
			s.t.Fatal(err)
		}
	}
	s.want(http.StatusOK, "/", "Пётр Попов")
}

// want fails the test unless the user sees text at path.
func (s *stage) want(status int, path, text string) {
	s.t.Helper()
	err := s.visitor.open(s.http.URL + path)
	if err != nil && !strings.HasPrefix(err.Error(), fmt.Sprint(status)) || err == nil && status != http.StatusOK {
		s.t.Errorf("%s: %v, want status %d", path, err, status)
	}
	if !strings.Contains(s.visitor.text, text) {
		s.t.Errorf("%s shows %s\nwant %s", path, s.visitor.text, text)
	}
}

// session returns the session that the site uses by now.
func (s *stage) session() string {
	calls := s.fake.Calls()
	return calls[len(calls)-1].Params.Get("access_token")
}

func (s *stage) wantExchanges(want int) {
	s.t.Helper()
	if got := len(s.fake.Exchanges()); got != want {
		s.t.Errorf("%d requests to the token endpoint, want %d", got, want)
	}
}

// wantFiles fails the test unless the program keeps so many sessions.
func (s *stage) wantFiles(want int) {
	s.t.Helper()
	files, err := os.ReadDir(s.dir)
	if err != nil || len(files) != want {
		s.t.Errorf("%d visitors have files, want %d: %v", len(files), want, err)
	}
}

const (
	signedOut = `href="/signin"`
	ended     = "Your session at OK has ended"
)
