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
// what became of it. It holds what was sent, secrets included, but prints
// without them, in package fmt, JSON and log/slog.
type Call struct {
	// Time is when the request arrived.
	Time time.Time

	// HTTPMethod is GET or POST as a rule.
	HTTPMethod string

	// Method is the API method, such as "users.getInfo", or empty if the
	// request names none. For other requests it is one of [TokenEndpoint],
	// [AuthorizePage], [LoginPages] and [PhotoUpload].
	Method string

	// Params are the parameters as sent, those of the query and of the form.
	Params url.Values

	// Query are those of them that came in the query.
	Query url.Values

	// Circuit tells how the call was signed: "server" with
	// MD5(access_token + application_secret_key), "client" with the session's
	// own secret, "sessionless" with the application's secret, "unsigned"
	// without. It is empty if the signature is wrong or was not looked at.
	Circuit string

	// UserID is whose session the call has, or empty.
	UserID string

	// Ran reports whether the method ran. It may have even if its answer was
	// lost to a [Fault].
	Ran bool

	// Faulted reports whether a [Fault] was applied.
	Faulted bool

	// Code is the code of the API error that was answered, 0 if none was.
	Code okerrors.Code

	// Refusal is the text of that error, or the error of the token endpoint.
	Refusal string

	// Status is the HTTP status of the answer, or 0 if none was sent, since
	// the connection was reset or the call is still under way.
	Status int
}

func (c Call) attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.Time("Time", c.Time),
		slog.String("HTTPMethod", c.HTTPMethod),
		slog.String("Method", redact.Text(c.Method)),
		slog.String("Params", redactedParams(c.Params)),
		slog.String("Circuit", c.Circuit),
		slog.String("UserID", c.UserID),
		slog.Bool("Ran", c.Ran),
		slog.Bool("Faulted", c.Faulted),
		slog.Int("Code", int(c.Code)),
		slog.String("Refusal", redact.Text(c.Refusal)),
		slog.Int("Status", c.Status),
	}
	return attrs
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
func (c Call) String() string { return redact.String("oktest.Call", c.attrs()) }

// Format implements [fmt.Formatter]: every verb writes what String returns.
func (c Call) Format(f fmt.State, _ rune) { redact.Format(f, c.String()) }

// LogValue implements [slog.LogValuer], secrets redacted.
func (c Call) LogValue() slog.Value { return slog.GroupValue(c.attrs()...) }

// MarshalJSON returns the fields, secrets redacted.
func (c Call) MarshalJSON() ([]byte, error) { return redact.JSON(c.attrs()) }
