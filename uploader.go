package okru

// This file sends the requests of Upload and UploadResumable. Their URL is a
// secret: it is cut out of every error, and is not passed on as a Referer.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/redact"
	"github.com/go-okru/okru/internal/roundtrip"
)

// maxUploadResponse bounds the response to an upload, in bytes.
const maxUploadResponse = 16 << 20

// An uploader sends requests to one upload URL.
type uploader struct {
	client  *http.Client   // a copy of the program's, with a redirect policy of its own
	url     *url.URL       // a secret
	secrets redact.Secrets // parts of the URL
}

// newUploader checks the client and the URL. The error does not show the URL.
func newUploader(c *http.Client, uploadURL string) (*uploader, error) {
	if c == nil {
		return nil, errors.New("okru: upload: the client is nil; make one by NewClient")
	}
	u, err := url.Parse(uploadURL)
	switch {
	case err != nil || u.Host == "":
		return nil, errors.New("okru: upload: the upload URL is not an absolute URL; pass the upload_url of the response as it is")
	case u.Scheme != "https" && !(u.Scheme == "http" && okcall.IsLoopback(u.Hostname())):
		return nil, errors.New("okru: upload: the upload URL must use https")
	}
	hosts := roundtrip.HostsOrDefault(c.Transport)
	if hosts.IsCall(u) || hosts.Check(u) != nil {
		return nil, errors.New("okru: upload: the upload URL is an API call; pass the upload_url of its response")
	}
	// A copy, since the policy of the program's client must not change for its
	// other requests.
	own := *c
	own.CheckRedirect = uploadRedirect(c.CheckRedirect)
	return &uploader{client: &own, url: u, secrets: secretsOf(u)}, nil
}

// secretsOf returns the parts of an upload URL that no text may show.
func secretsOf(u *url.URL) redact.Secrets {
	secrets := redact.Secrets{u.String(), u.RequestURI(), u.RawQuery, u.EscapedPath(), u.Path}
	for _, values := range u.Query() {
		secrets = append(secrets, values...)
	}
	if u.User != nil {
		secrets = append(secrets, u.User.String())
	}
	return secrets
}

// uploadRedirect returns policy, or the default policy of net/http, without
// redirects from https to http. The URL of the upload is not passed on as a
// Referer.
func uploadRedirect(policy func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		// http.Client sets it to the URL before, unless the scheme drops to http.
		r.Header.Del("Referer")
		switch {
		case r.URL.Scheme != "https" && via[len(via)-1].URL.Scheme == "https":
			return http.ErrUseLastResponse
		case policy != nil:
			return policy(r, via)
		case len(via) >= 10:
			return errors.New("stopped after 10 redirects")
		}
		return nil
	}
}

// newRequest returns a request to the upload URL.
func (u *uploader) newRequest(ctx context.Context, method string, body io.Reader) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, u.url.String(), body)
	if err != nil {
		return nil, u.redacted(err)
	}
	r.Header.Set("Accept", "application/json")
	return r, nil
}

// An uploadResponse is the response to an upload, read to its end.
type uploadResponse struct {
	*http.Response
	body    []byte
	secrets redact.Secrets // of the upload URL, for excerpts
}

// do sends r and reads the response.
func (u *uploader) do(r *http.Request) (*uploadResponse, error) {
	resp, err := u.client.Do(r)
	if err != nil {
		return nil, u.redacted(err)
	}
	defer resp.Body.Close()
	if e, failed := okerrors.FromResponse(resp); failed {
		return nil, e
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxUploadResponse+1))
	if err != nil {
		return nil, u.redacted(fmt.Errorf("the response broke off: %w", err))
	}
	return &uploadResponse{Response: resp, body: body, secrets: u.secrets}, nil
}

// failure returns an AnswerError if the response does not report success.
func (r *uploadResponse) failure() error {
	var reason error
	switch {
	case len(r.body) > maxUploadResponse:
		reason = fmt.Errorf("it has more than %d MiB", maxUploadResponse>>20)
	case r.StatusCode/100 != 2:
		reason = errors.New("the upload failed")
	default:
		return nil
	}
	return newAnswerError("upload", r.Response, r.body, true, r.secrets.Clean, reason)
}

// redacted returns err without the upload URL.
func (u *uploader) redacted(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*okerrors.Error](err); ok {
		return e
	}
	text := strings.TrimPrefix(u.secrets.Clean(err.Error()), "okru: ")
	return redact.NewError("okru: upload: "+strings.TrimPrefix(text, "upload: "), err)
}

// A fault is the first error of what a request reads, which is set by a
// goroutine of net/http.
type fault struct{ first atomic.Pointer[error] }

// set keeps *err, unless that is the end of the content. It is to be deferred: a
// panic becomes *err, because it would end the program from that goroutine.
func (f *fault) set(err *error) {
	if value := recover(); value != nil {
		*err = redact.NewPanicError("okru: upload", value)
	}
	if *err != nil && *err != io.EOF {
		kept := *err
		f.first.CompareAndSwap(nil, &kept)
	}
}

// get returns the first error, or nil.
func (f *fault) get() error {
	if err := f.first.Load(); err != nil {
		return *err
	}
	return nil
}
