package okru_test

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/oauth2"
	"golang.org/x/time/rate"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/callback"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/oauth/storetest"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

// The names that programs compile against, with their types. A change here
// breaks programs.
var _ = []any{
	okru.Config{
		ApplicationKey: "", ApplicationSecret: "", TokenSource: oauth2.TokenSource(nil), Circuit: transport.Auto, PassErrors: false,
		Retry: transport.Retry{}, Limiter: ratelimit.Limiter(nil), LimitKey: (func(*http.Request) string)(nil),
		Layers: []transport.Middleware(nil), Logger: (*slog.Logger)(nil), GroupToken: "", Hosts: []string(nil), Base: http.RoundTripper(nil),
	},
	(func(okru.Config) (http.RoundTripper, error))(okru.NewTransport),
	(func(okru.Config) (*http.Client, error))(okru.NewClient),
	(func(*http.Client, okru.Config) (*http.Client, error))(okru.Wrap),
	(func(context.Context, *http.Client, string, url.Values) (int, error))(okru.Call[int]),
	(func(context.Context, *http.Client, string, url.Values) iter.Seq2[int, error])(okru.Pages[int]),
	(func(context.Context, *http.Client, string, string, any) (int, error))(okru.Graph[int]),
	(func(context.Context, *http.Client, string, ...okru.File) ([]byte, error))(okru.Upload),
	(func(context.Context, *http.Client, string, okru.Resumable) ([]byte, error))(okru.UploadResumable),
	okru.File{Field: "", Name: "", ContentType: "", Content: io.Reader(nil), Size: int64(0), Progress: (func(int64))(nil)},
	okru.Resumable{Content: io.ReaderAt(nil), Size: int64(0), Chunk: int64(0), Name: "", ContentType: "", Progress: (func(int64))(nil)},

	(func(http.RoundTripper, ...transport.Middleware) http.RoundTripper)(transport.Chain),
	transport.Func(func(*http.Request) (*http.Response, error) { return nil, nil }),
	(func(*http.Request) string)(transport.Method),
	[]transport.Circuit{transport.Auto, transport.ServerServer, transport.ClientServer, transport.Sessionless, transport.Unsigned},
	transport.Signer{
		ApplicationKey: "", ApplicationSecret: "", TokenSource: oauth2.TokenSource(nil), Circuit: transport.Auto,
		Hosts: []string(nil), BeforeRepeat: (func(*http.Request) error)(nil),
	}.Wrap,
	transport.Group{Token: "", Hosts: []string(nil)}.Wrap,
	(func(context.Context, string) context.Context)(transport.WithGroupToken),
	(func(url.Values, string) string)(transport.Signature),
	(func(string, string) string)(transport.DeriveSecret),
	(func(context.Context, *oauth2.Token) context.Context)(transport.WithToken),
	(func(context.Context, oauth2.TokenSource) context.Context)(transport.WithTokenSource),
	(func(context.Context, transport.Circuit) context.Context)(transport.WithCircuit),
	(func(context.Context, bool) context.Context)(transport.WithIdempotent),
	(func(context.Context, *transport.Trace) context.Context)(transport.WithTrace),
	transport.Retry{
		Max: 0, MinDelay: time.Duration(0), MaxDelay: time.Duration(0), If: (func(transport.Attempt) bool)(nil),
		OnRetry: (func(transport.Attempt))(nil), AttemptTimeout: time.Duration(0), CheckRetry: retryablehttp.CheckRetry(nil),
		Backoff: retryablehttp.Backoff(nil), Client: (*retryablehttp.Client)(nil),
	}.Wrap,
	transport.Attempt{N: 0, Request: (*http.Request)(nil), Response: (*http.Response)(nil), Err: error(nil), Delay: time.Duration(0)},
	(func(transport.Attempt) bool)(transport.Retryable),

	okerrors.Error{Code: okerrors.Code(0), Message: "", Data: json.RawMessage(nil), Field: "", Method: "", Status: 0, URL: ""},
	[]error{
		okerrors.ErrSession, okerrors.ErrPermission, okerrors.ErrThrottled, okerrors.ErrTransient, okerrors.ErrInvalid,
		okerrors.ErrNotFound, okerrors.ErrUserAction, okerrors.ErrRule, okerrors.ErrOutcomeUnknown,
	},
	(func([]byte) (*okerrors.Error, bool))(okerrors.Parse),
	(func(*http.Response) (*okerrors.Error, bool))(okerrors.FromResponse),
	(func(http.RoundTripper) http.RoundTripper)(okerrors.Decode),

	oauth2.Endpoint(oauth.Endpoint),
	[]oauth.Grant{
		oauth.Code{ClientID: "", ClientSecret: "", RedirectURL: "", Code: "", HTTPClient: (*http.Client)(nil)},
		oauth.Refresh{ClientID: "", ClientSecret: "", RefreshToken: "", HTTPClient: (*http.Client)(nil)},
		oauth.Implicit{ClientID: "", Login: "", Password: "", Scopes: []string(nil), RedirectURL: "", State: "", HTTPClient: (*http.Client)(nil)},
		oauth.Password{ApplicationKey: "", ApplicationSecret: "", Login: "", Password: "", HTTPClient: (*http.Client)(nil)},
	},
	[]oauth.Renewer{oauth.Code{}, oauth.Refresh{}},
	(func(string, string) oauth2.TokenSource)(oauth.Static),
	(func(string, ...string) string)(oauth.Code{}.AuthURL),
	(func() string)(oauth.Implicit{}.AuthURL),
	(func(string, string) (string, *oauth2.Token, error))(oauth.ParseRedirect),
	(func(*oauth2.Token) string)(oauth.SessionSecret),
	(func(oauth.Grant, oauth.Options) *oauth.Source)(oauth.NewSource),
	oauth.Options{Store: oauth.Store(nil), Early: 0, CoolDown: 0, Timeout: 0, OnToken: (func(*oauth2.Token))(nil), OnError: (func(error))(nil)},
	(*oauth.Source).TokenContext, (*oauth.Source).Invalidate, (*oauth.Source).Replace,
	[]error{oauth.ErrSignIn, oauth.ErrRefused, oauth.ErrCorrupt},
	(func(*oauth2.Token) ([]byte, error))(oauth.MarshalToken),
	(func([]byte) (*oauth2.Token, error))(oauth.UnmarshalToken),
	(func(string) oauth.Store)(oauth.FileStore),
	oauth.FileStore("").(oauth.Deleter),
	oauth.SessionsOptions{Max: 0, Store: (func(string) oauth.Store)(nil), Grant: (func(string) oauth.Grant)(nil), Options: oauth.Options{}},
	(func(oauth.SessionsOptions) *oauth.Sessions)(oauth.NewSessions),
	(func(*oauth.Sessions, string) *oauth.Source)((*oauth.Sessions).Source),
	(func(*oauth.Sessions, context.Context, string, *oauth2.Token) (*oauth.Source, error))((*oauth.Sessions).Admit),
	(func(*oauth.Sessions, context.Context, string) error)((*oauth.Sessions).Dismiss),
	(func(*testing.T, func(*testing.T) (oauth.Store, oauth.Store), ...storetest.Option))(storetest.Run),
	(func(func(*testing.T, oauth.Store)) storetest.Option)(storetest.Expire),
	(func(func(*testing.T, oauth.Store)) storetest.Option)(storetest.Corrupt),

	(func(url.Values, string) error)(callback.Verify),
	(func(url.Values, string) error)(callback.VerifyLaunch),
	[]error{callback.ErrForged, callback.ErrIncomplete},
	callback.Payment{TransactionID: "", UserID: "", ProductCode: "", ProductOption: "", Amount: "", Currency: "", Time: time.Time{}, Params: url.Values(nil)},
	http.Handler(callback.Payments{
		ApplicationKey: "", ApplicationSecret: "", Accept: (func(context.Context, callback.Payment) error)(nil),
		Location: (*time.Location)(nil), OnError: (func(error))(nil),
	}),
	http.Handler(&callback.Webhook{
		Confirmation: "", Allow: []netip.Prefix(nil), ClientIP: (func(*http.Request) netip.Addr)(nil),
		Handle: (func(context.Context, json.RawMessage) error)(nil), Timeout: time.Duration(0), Background: false, OnError: (func(error))(nil),
	}),

	ratelimit.Limit{Limiter: ratelimit.Limiter(nil), Key: (func(*http.Request) string)(nil)}.Wrap,
	(func(*http.Request) error)(ratelimit.Limit{}.Charge),
	(func(rate.Limit, int) *ratelimit.Bucket)(ratelimit.NewBucket),
	(func(int, func(string) ratelimit.Limiter) *ratelimit.Keyed)(ratelimit.NewKeyed),
	(func(rate.Limit, rate.Limit) *ratelimit.Adaptive)(ratelimit.NewAdaptive),
	[]ratelimit.Limiter{(*ratelimit.Bucket)(nil), (*ratelimit.Keyed)(nil), (*ratelimit.Adaptive)(nil), (*rate.Limiter)(nil)},
	ratelimit.Keyer((*ratelimit.Keyed)(nil)),
	ratelimit.Observer((*ratelimit.Adaptive)(nil)),
	(func(*http.Request) string)(ratelimit.ByMethod),
	(func(*http.Request) string)(ratelimit.ByMethodAndSession),
	ratelimit.Outcome{Sent: time.Time{}, Throttled: false, RetryAfter: time.Duration(0), Err: error(nil)},
	ratelimit.ErrLimited,

	oktest.App{ID: "", Key: "", Secret: ""},
	(func(oktest.App) *oktest.Server)(oktest.NewServer),
	(func(testing.TB) *oktest.Server)(oktest.New),
	(func(*oktest.Server) http.RoundTripper)((*oktest.Server).Transport),
	(func(*oktest.Server) string)((*oktest.Server).URL),
	(func(*oktest.Server) http.Handler)((*oktest.Server).Handler),
	(func(*oktest.Server) http.RoundTripper)((*oktest.Server).InProcess),
	(func(*oktest.Server, string, func(url.Values) (any, error)))((*oktest.Server).Handle),
	(func(*oktest.Server, string, string) *oktest.User)((*oktest.Server).NewUser),
	(func(*oktest.Server, string) *oktest.Bot)((*oktest.Server).NewBot),
	(func(*oktest.Bot) string)((*oktest.Bot).Token),
	(func(*oktest.Bot, *oktest.User, string) oktest.Message)((*oktest.Bot).Write),
	(func(*oktest.Bot, string) []oktest.Message)((*oktest.Bot).Messages),
	(func(*oktest.Bot) []oktest.Delivery)((*oktest.Bot).Deliveries),
	(func(*oktest.Server) []oktest.Call)((*oktest.Server).Calls),
	(func() []oktest.Method)(oktest.Methods),
	oktest.Method{Name: "", Session: "", Scopes: []string(nil)},
	(func(*oktest.Server) []oktest.Photo)((*oktest.Server).Photos),
	(func(*oktest.Server) []oktest.Video)((*oktest.Server).Videos),
	(func(*oktest.Server, string) []oktest.Topic)((*oktest.Server).Topics),
	(func(*oktest.Server))((*oktest.Server).Close),
	(func(*oktest.User) url.Values)((*oktest.User).Launch),
	(func(*oktest.User, string, int) url.Values)((*oktest.User).Payment),
	(func(*oktest.Server, url.Values) url.Values)((*oktest.Server).Sign),
	(func(url.Values) iter.Seq2[string, url.Values])(oktest.Tamperings),
	(func(*oktest.Server, context.Context, oktest.PaymentRequest) (oktest.Transaction, error))((*oktest.Server).Pay),
	(func(*oktest.Server) []oktest.Transaction)((*oktest.Server).Payments),
	oktest.PaymentRequest{URL: "", Params: url.Values(nil), Lost: 0, Delay: time.Duration(0), Timeout: time.Duration(0), Client: (*http.Client)(nil)},
	oktest.Transaction{Params: url.Values(nil), Attempts: []oktest.PaymentAttempt(nil), Accepted: false, Canceled: false},
	oktest.PaymentAttempt{
		Time: time.Time{}, Status: 0, Body: "", Accepted: false, Code: okerrors.Code(0), Problem: "", Lost: false,
	},
}
