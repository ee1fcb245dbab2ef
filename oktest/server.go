package oktest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"

	"github.com/go-okru/okru/internal/redact"
)

// A Server is a fake OK for one application. [Server.Transport],
// [Server.InProcess], [Server.Handler] and [Server.URL] lead to it.
//
// A Server is safe for concurrent use by multiple goroutines, and everything
// about it may be changed between two calls. It prints without secrets. Use
// [NewServer] to make one.
type Server struct {
	app App
	net network

	mu        sync.Mutex // guards all below, and the fields of users and sessions
	settings  Settings
	handlers  map[string]func(url.Values) (any, error)
	users     []*User
	sessions  map[string]*session // by access token
	refresh   map[string]*grant   // by refresh token
	codes     map[string]*grant   // by authorization code
	logins    map[string]*User    // by auth_token
	browsers  map[string]*browser // by cookie
	media     media
	bots      []*Bot
	journal   []*Call
	exchanges []*Call
	uploaded  []*Call
	payments  []*Transaction
	faults    []*fault
	limits    []*limiter
	lastID    int64
	inside    map[*visit]struct{} // requests through InProcess
	closed    bool

	webhooks struct { // deliveries in progress
		ctx    context.Context
		cancel context.CancelFunc
		open   sync.WaitGroup
	}
}

// NewServer returns a fake OK that knows app, whose empty fields get the
// defaults documented there. It opens no listener before [Server.Transport] or
// [Server.URL] is called. Call [Server.Close] when done.
func NewServer(app App) *Server {
	s := &Server{
		app:      app.withDefaults(),
		handlers: make(map[string]func(url.Values) (any, error)),
		sessions: make(map[string]*session),
		refresh:  make(map[string]*grant),
		codes:    make(map[string]*grant),
		logins:   make(map[string]*User),
		browsers: make(map[string]*browser),
		inside:   make(map[*visit]struct{}),
	}
	s.webhooks.ctx, s.webhooks.cancel = context.WithCancel(context.Background())
	return s
}

// App returns the application that s knows, defaults filled in.
func (s *Server) App() App { return s.app }

// Handler returns the whole fake as an [http.Handler], for a server of the
// caller's. It serves the paths of both api.ok.ru and connect.ok.ru.
//
// A fault that breaks the connection takes over the connection if the server
// allows that, and else panics with [http.ErrAbortHandler].
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serveHTTP) }

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	s.serve(r).write(w, r)
}

// Handle makes h answer the calls of method, such as "users.getInfo". It
// replaces the implementation that oktest has, if any; a nil h restores it. A
// method that OK does not have is known from then on; it takes calls with a
// session and without.
//
// h gets all parameters, those of the query and of the form, in a copy of its
// own. It runs once per call that passed all checks, in the goroutine of that
// call. What it returns is sent as JSON, a [json.RawMessage] as it is, even if
// empty. An error that is or wraps an [*okerrors.Error] or an [okerrors.Code]
// is sent as that, with the fields that are set; any other as code 1, UNKNOWN,
// with its text.
func (s *Server) Handle(method string, h func(url.Values) (any, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h == nil {
		delete(s.handlers, method)
		return
	}
	s.handlers[method] = h
}

// Close stops the listeners, breaks the connections, the requests in progress and
// the deliveries to webhooks, and waits for them. A handler of the caller's that hangs makes it
// wait. Later requests fail. Close may be called again.
func (s *Server) Close() {
	s.net.close()
	s.leave()
	s.webhooks.cancel()
	s.webhooks.open.Wait()
}

// String returns which application s knows, without secrets.
func (s *Server) String() string { return "oktest.Server for application " + s.app.ID }

// Format implements [fmt.Formatter]: every verb writes what String returns.
func (s *Server) Format(f fmt.State, _ rune) { redact.Format(f, s.String()) }

// MarshalJSON returns what String does, as a JSON string.
func (s *Server) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// An App is the application that a [Server] knows. Calls of any other are
// rejected. An App prints without its secret.
type App struct {
	// ID is the application id, the client_id of OAuth. If empty, it is
	// "512000000001".
	ID string

	// Key is the public application_key of every call. If empty, it is
	// "CBAOKTESTPUBLICKEY".
	Key string

	// Secret is the application_secret_key, the client_secret of OAuth. If
	// empty, it is "OKTESTAPPLICATIONSECRETKEY".
	Secret string
}

func (a App) withDefaults() App {
	return App{
		ID:     cmp.Or(a.ID, "512000000001"),
		Key:    cmp.Or(a.Key, "CBAOKTESTPUBLICKEY"),
		Secret: cmp.Or(a.Secret, "OKTESTAPPLICATIONSECRETKEY"),
	}
}

// view shows the fields without secrets.
func (a App) view() redact.View {
	return redact.Show("oktest.App",
		slog.String("ID", a.ID),
		slog.String("Key", a.Key),
		redact.Secret("Secret", a.Secret),
	)
}

// String returns the fields, the secret redacted.
func (a App) String() string { return a.view().String() }

// Format implements [fmt.Formatter]: every verb writes what String returns.
func (a App) Format(f fmt.State, verb rune) { a.view().Format(f, verb) }

// LogValue implements [slog.LogValuer], the secret redacted.
func (a App) LogValue() slog.Value { return a.view().LogValue() }

// MarshalJSON returns the fields, the secret redacted.
func (a App) MarshalJSON() ([]byte, error) { return a.view().MarshalJSON() }
