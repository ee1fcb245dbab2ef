package okru

// This file makes the request of a Graph call. Unlike the methods of the REST API,
// operations of the Graph API are paths, a verb and a body in JSON.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-okru/okru/internal/okcall"
	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/roundtrip"
)

// Graph calls the Graph API on behalf of a group's bot, and decodes the response
// into a T as [Call] does. The path is relative to /graph/, and may have a query:
// "me/chats?count=10". The verb is GET or POST: at the same path they are
// different operations. The body, if it is not nil, is sent as JSON, as
// encoding/json encodes it. See https://apiok.ru/en/dev/graph_api.
//
//	chats, err := okru.Graph[Chats](ctx, client, "GET", "me/chats?count=100", nil)
//	_, err = okru.Graph[any](ctx, client, "POST", "me/messages/"+chatID, map[string]any{
//		"recipient": map[string]string{"chat_id": chatID},
//		"message":   map[string]string{"text": "hello"},
//	})
//
// The client must have a [transport.Group], as those of this package do. It adds
// the token of the group, [Config.GroupToken] or that of
// [transport.WithGroupToken]. Without a token, with a token in the path, and
// with a path or verb that the API cannot have, the call fails before anything
// is sent. It goes to the first of [Config.Hosts], as a Call does.
//
// Errors are those of Call. Their text begins with "okru: ", the path without
// query and ids, such as graph/me/messages/{id}, and ": ". A GET is safe to
// repeat; any other verb is a write, of which an error matches
// okerrors.ErrOutcomeUnknown if it may have run. A context with a deadline ends
// a long poll, graph/me/updates, which has no AttemptTimeout.
func Graph[T any](ctx context.Context, c *http.Client, verb, path string, body any) (T, error) {
	call, err := newGraphCall(ctx, c, verb, path, body)
	return send[T](c, call, err)
}

// newGraphCall checks what Graph is given. No error shows the path, which may
// have a token by mistake.
func newGraphCall(ctx context.Context, c *http.Client, verb, path string, body any) (*call, error) {
	if c == nil {
		return nil, errors.New("okru: Graph: the client is nil; make one by NewClient")
	}
	if lacksGroup(c.Transport) {
		return nil, errors.New("okru: Graph: the client has no transport.Group, which adds the token of the group; make it by NewClient, and set Config.GroupToken")
	}
	address := endpoint(c) + "/graph/" + path
	u, err := graphURL(address, path)
	if err != nil {
		return nil, err
	}
	method := okcall.Method(&http.Request{URL: u})
	if verb != http.MethodGet && verb != http.MethodPost {
		return nil, fmt.Errorf("okru: %s: the verb is %q; use GET or POST", method, verb)
	}
	if verb == http.MethodGet && body != nil {
		return nil, fmt.Errorf("okru: %s: a GET has no body; write its parameters into the path, as in me/chats?count=10", method)
	}
	content, err := jsonBody(body)
	if err != nil {
		return nil, fmt.Errorf("okru: %s: the body cannot be sent as JSON: %w", method, err)
	}
	return newCallTo(ctx, method, verb, address, "application/json;charset=utf-8", content)
}

// lacksGroup reports whether rt surely has no Group: whether methods Unwrap lead
// to an http.Transport past none.
func lacksGroup(rt http.RoundTripper) bool {
	_, hasGroup := roundtrip.AsType[interface{ AddsGroupToken() }](rt)
	_, isWhole := roundtrip.AsType[*http.Transport](rt)
	return !hasGroup && (isWhole || rt == nil)
}

// graphURL returns the URL of a Graph call with this path.
func graphURL(address, path string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("okru: Graph: the path cannot be part of a URL; escape what is not a letter or a digit, by url.PathEscape or url.Values.Encode")
	}
	if u.Query().Has(param.AccessToken) {
		return nil, errors.New("okru: Graph: the path has a token, which errors and logs would show; leave it out, and set Config.GroupToken or use transport.WithGroupToken")
	}
	segments, _, _ := strings.Cut(path, "?")
	if segments == "" || strings.HasPrefix(segments, "graph/") || strings.Contains("/"+segments, "//") || strings.Contains("/"+segments+"/", "/../") || strings.Contains(path, "#") {
		return nil, errors.New("okru: Graph: the path is not one under /graph/; write it as in me/chats?count=10 or me/messages/chat:ID")
	}
	return u, nil
}

// jsonBody returns body as JSON; nil: there is none.
func jsonBody(body any) (io.Reader, error) {
	if body == nil {
		return nil, nil
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return bytes.NewReader(text), nil
}
