package oktest

import (
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/redact"
)

// A Call is an entry of the journal of a [Server]: what one request was, and
// its result. It contains what was sent, secrets included, but prints
// without them, in package fmt, JSON and log/slog.
type Call struct {
	// Time is when the request arrived.
	Time time.Time

	// HTTPMethod is GET or POST as a rule.
	HTTPMethod string

	// Proto is the protocol of the request, such as "HTTP/1.1" or "HTTP/2.0".
	Proto string

	// Method is the API method, such as "users.getInfo", or empty if the
	// request names none. That of a Graph call is the path without ids, such as
	// "graph/me/messages/{id}". For other requests it is one of [TokenEndpoint],
	// [AuthorizePage], [LoginPages], [PhotoUpload] and [VideoUpload].
	Method string

	// Params are the parameters as sent, those of the query and of the form.
	Params url.Values

	// Query are those of them that came in the query.
	Query url.Values

	// Body is the JSON that a Graph call sent, or empty.
	Body string

	// Circuit is how the call was signed: "server" with
	// MD5(access_token + application_secret_key), "client" with the session's
	// own secret, "sessionless" with the application's secret, "unsigned"
	// without. It is empty if the signature is wrong or was not looked at, and of
	// a Graph call, which has none.
	Circuit string

	// UserID is whose session the call has, or empty. Of a Graph call it is
	// "group:" and the id of the group.
	UserID string

	// Ran reports whether the method ran. It may have even if a [Fault]
	// replaced its response.
	Ran bool

	// Faulted reports whether a [Fault] was applied.
	Faulted bool

	// Code is the code of the API error in the response, 0 if there is none.
	Code okerrors.Code

	// Refusal is the text of that error, or the error of the token endpoint.
	Refusal string

	// Status is the HTTP status of the response, or 0 if none was sent: the
	// connection was reset, or the call is in progress.
	Status int
}

// view shows the fields without secrets.
func (c Call) view() redact.View {
	return redact.Show("oktest.Call",
		slog.Time("Time", c.Time),
		slog.String("HTTPMethod", c.HTTPMethod),
		slog.String("Proto", c.Proto),
		slog.String("Method", redact.Text(c.Method)),
		slog.String("Params", redactedParams(c.Params)),
		slog.String("Body", redact.Text(c.Body)),
		slog.String("Circuit", c.Circuit),
		slog.String("UserID", c.UserID),
		slog.Bool("Ran", c.Ran),
		slog.Bool("Faulted", c.Faulted),
		slog.Int("Code", int(c.Code)),
		slog.String("Refusal", redact.Text(c.Refusal)),
		slog.Int("Status", c.Status),
	)
}

// redactedParams returns the parameters as name=value, sorted by name, without
// the values of secret ones. Values may themselves be JSON that has secrets.
func redactedParams(params url.Values) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		for _, value := range params[name] {
			if probe := name + "=x"; redact.Text(probe) != probe {
				value = redact.Mark
			}
			pairs = append(pairs, name+"="+redact.Text(value))
		}
	}
	return strings.Join(pairs, " ")
}

// String returns the fields, secrets redacted.
func (c Call) String() string { return c.view().String() }

// Format implements [fmt.Formatter]: every verb writes what String returns.
func (c Call) Format(f fmt.State, verb rune) { c.view().Format(f, verb) }

// LogValue implements [slog.LogValuer], secrets redacted.
func (c Call) LogValue() slog.Value { return c.view().LogValue() }

// MarshalJSON returns the fields, secrets redacted.
func (c Call) MarshalJSON() ([]byte, error) { return c.view().MarshalJSON() }

// Calls returns every call of the API that s accepted or rejected, in the order
// of arrival, those in progress included. It is a copy.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copies(s.journal)
}

// Exchanges returns every request to the token endpoint, in the order of
// arrival. It is a copy.
func (s *Server) Exchanges() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copies(s.exchanges)
}

// Uploads returns every upload, in the order of arrival, those in progress
// included. It is a copy.
func (s *Server) Uploads() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copies(s.uploaded)
}

// ForgetCalls empties the journal: Calls, Exchanges, Uploads, Payments and
// Duplicates start anew. Otherwise a journal grows without bound.
func (s *Server) ForgetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal, s.exchanges, s.uploaded, s.payments = nil, nil, nil, nil
}

// Duplicates returns how many calls ran with a value of the parameter param
// with which another call had run before. If every write has a value of its
// own, that is the number of writes that ran more than once. Calls without the
// parameter do not count.
func (s *Server) Duplicates(param string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := make(map[string]bool)
	duplicates := 0
	for _, c := range s.journal {
		if !c.Ran || !c.Params.Has(param) {
			continue
		}
		if value := c.Params.Get(param); seen[value] {
			duplicates++
		} else {
			seen[value] = true
		}
	}
	return duplicates
}

func copies(journal []*Call) []Call {
	calls := make([]Call, len(journal))
	for i, c := range journal {
		calls[i] = *c
		calls[i].Params = cloneValues(c.Params)
		calls[i].Query = cloneValues(c.Query)
	}
	return calls
}

func cloneValues(v url.Values) url.Values {
	clone := maps.Clone(v)
	for name, values := range clone {
		clone[name] = slices.Clone(values)
	}
	return clone
}

// enter makes an entry for c in a journal. The returned function brings the
// entry up to date.
func (s *Server) enter(journal *[]*Call, c *Call) (update func()) {
	entry := new(Call)
	*entry = *c
	s.mu.Lock()
	defer s.mu.Unlock()
	*journal = append(*journal, entry)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		*entry = *c
	}
}
