// Package rows has the calls that the program against measures. It uses only names that
// both commits have.
package rows

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
	"github.com/go-okru/okru/ratelimit"
	"github.com/go-okru/okru/transport"
)

const (
	key    = "ABCDEFGHIGKLMNOPK"
	secret = "ABC123DEF456GHI789JKL123"
	token  = "-s-84W-s3egarWUsbkq-IWTucuedzTKT8VUXIA.s4Xx8IW7"

	params = "method=users.getInfo&uids=1234567890,2345678901&fields=uid,name&format=json&__online=false"

	success = `{"uid":"1234567890","name":"Somebody","locale":"ru","age":30}`
	failure = `{"error_code":10,"error_data":null,"error_msg":"PERMISSION_DENIED : User must grant an access to permission"}`
	expired = `{"error_code":102,"error_data":null,"error_msg":"PARAM_SESSION_EXPIRED : Session expired"}`
)

// New returns one call of each kind. The names are those of the program
// against.
func New() (map[string]func() error, error) {
	base := reply(success)
	static := oauth.Static(token, "")
	stack, err := newStack(static, nil, base)
	if err != nil {
		return nil, err
	}
	limited, err := newStack(static, ratelimit.NewBucket(1e9, 1), base)
	if err != nil {
		return nil, err
	}
	failing, err := newStack(static, nil, reply(failure))
	if err != nil {
		return nil, err
	}
	renewing, err := newStack(oauth.NewSource(new(counter), oauth.Options{CoolDown: -1}), nil, new(rejectOnce))
	if err != nil {
		return nil, err
	}
	signer := transport.Signer{ApplicationKey: key, ApplicationSecret: secret, TokenSource: static}
	return map[string]func() error{
		"bare-get":    get(base),
		"bare-post":   post(base),
		"stack-get":   get(stack),
		"stack-post":  post(stack),
		"stack-limit": get(limited),
		"stack-error": fails(get(failing)),
		"renewal":     get(renewing),
		"call":        decode(stack),
		"signer":      get(signer.Wrap(base)),
		"retry":       get(transport.Retry{}.Wrap(base)),
		"limit":       get(ratelimit.Limit{Limiter: ratelimit.NewBucket(1e9, 1)}.Wrap(base)),
		"decode":      get(okerrors.Decode(base)),
	}, nil
}

func newStack(ts oauth2.TokenSource, l ratelimit.Limiter, base http.RoundTripper) (http.RoundTripper, error) {
	return okru.NewTransport(okru.Config{ApplicationKey: key, ApplicationSecret: secret, TokenSource: ts, Limiter: l, Base: base})
}

// reply is a RoundTripper that responds with this body.
type reply string

var jsonHeader = http.Header{"Content-Type": {"application/json;charset=utf-8"}}

// RoundTrip implements [http.RoundTripper].
func (b reply) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: jsonHeader, ContentLength: int64(len(b)), Body: io.NopCloser(strings.NewReader(string(b))), Request: r,
	}, nil
}

// rejectOnce rejects the session of every other request.
type rejectOnce struct{ n int }

// RoundTrip implements [http.RoundTripper].
func (b *rejectOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	b.n++
	if b.n%2 == 1 {
		return reply(expired).RoundTrip(r)
	}
	return reply(success).RoundTrip(r)
}

// counter is a grant whose sessions differ.
type counter struct{ n int }

// Token implements [oauth.Grant].
func (c *counter) Token(context.Context) (*oauth2.Token, error) {
	c.n++
	t := &oauth2.Token{AccessToken: fmt.Sprint(token, c.n), Expiry: time.Now().Add(time.Hour)}
	return t, nil
}

func get(rt http.RoundTripper) func() error {
	client := &http.Client{Transport: rt}
	r, err := http.NewRequest(http.MethodGet, "https://api.ok.ru/fb.do?"+params, nil)
	return func() error {
		if err != nil {
			return err
		}
		return do(client, r)
	}
}

func post(rt http.RoundTripper) func() error {
	client := &http.Client{Transport: rt}
	return func() error {
		r, err := http.NewRequest(http.MethodPost, "https://api.ok.ru/fb.do", strings.NewReader(params))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return do(client, r)
	}
}

func do(client *http.Client, r *http.Request) error {
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

// fails expects the API error of failure.
func fails(call func() error) func() error {
	return func() error {
		if err := call(); !errors.Is(err, okerrors.ErrPermission) {
			return fmt.Errorf("got error %v, want code 10", err)
		}
		return nil
	}
}

// decode is a call by [okru.Call].
func decode(rt http.RoundTripper) func() error {
	client := &http.Client{Transport: rt}
	ctx := context.Background()
	values := url.Values{"uids": {"1234567890,2345678901"}, "fields": {"uid,name"}}
	return func() error {
		_, err := okru.Call[struct{ UID string }](ctx, client, "users.getInfo", values)
		return err
	}
}
