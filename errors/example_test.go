package okerrors_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/transport"
)

// failing returns a RoundTripper that responds to every call with an error, as
// OK does.
func failing(code int, body string) http.RoundTripper {
	return transport.Func(func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		w.Header().Set("Invocation-Error", fmt.Sprint(code))
		io.WriteString(w, body)
		return w.Result(), nil
	})
}

// Decode makes an API error, which OK sends with status 200, the error of the
// request.
func ExampleDecode() {
	base := failing(102, `{"error_code":102,"error_msg":"PARAM_SESSION_EXPIRED : Session expired"}`)

	client := &http.Client{Transport: okerrors.Decode(base)}
	_, err := client.Get("https://api.ok.ru/fb.do?method=users.getCurrentUser")
	fmt.Println(errors.Unwrap(err)) // without the URL, which *url.Error adds
	// Output:
	// okru: users.getCurrentUser: PARAM_SESSION_EXPIRED (102): Session expired
}

// Codes and classes are found through the *url.Error of http.Client.
func Example() {
	base := failing(10, `{"error_code":10,"error_data":"PUBLISH_TO_STREAM",`+
		`"error_msg":"PERMISSION_DENIED : User must grant an access to permission 'PUBLISH_TO_STREAM'"}`)

	client := &http.Client{Transport: okerrors.Decode(base)}
	_, err := client.Get("https://api.ok.ru/api/mediatopic/post")

	fmt.Println("code 10:", errors.Is(err, okerrors.CodePermissionDenied))
	fmt.Println("permission:", errors.Is(err, okerrors.ErrPermission))
	fmt.Println("throttled:", errors.Is(err, okerrors.ErrThrottled))
	if e, ok := errors.AsType[*okerrors.Error](err); ok {
		fmt.Printf("%s needs %s\n", e.Method, e.Data)
	}
	// Output:
	// code 10: true
	// permission: true
	// throttled: false
	// mediatopic.post needs "PUBLISH_TO_STREAM"
}

// FromResponse finds an API error in any response, which can still be read as a
// whole.
func ExampleFromResponse() {
	base := failing(8, `{"error_code":8,"error_msg":"FLOOD_BLOCKED : Call blocked due to flood protection"}`)

	client := &http.Client{Transport: base}
	resp, err := client.Get("https://api.ok.ru/fb.do?method=friends.get")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	if e, ok := okerrors.FromResponse(resp); ok {
		fmt.Println(e.Code, "with status", e.Status)
	}
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(len(body), "bytes")
	// Output:
	// FLOOD_BLOCKED (8) with status 200
	// 83 bytes
}

// Parse finds the error of an item of batch.execute: the batch succeeds where
// single items fail.
func ExampleParse() {
	response := `{
		"users_getInfo_response": [{"uid":"575645765457","first_name":"Ann"}],
		"friends_get_response": {"error_code":10,"error_data":"VALUABLE_ACCESS","error_msg":"PERMISSION_DENIED : User must grant an access to permission 'VALUABLE_ACCESS'"}
	}`
	var items map[string]json.RawMessage
	if err := json.Unmarshal([]byte(response), &items); err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(items)) {
		if e, ok := okerrors.Parse(items[name]); ok {
			fmt.Println(name, "fails:", errors.Is(e, okerrors.ErrPermission), e)
			continue
		}
		fmt.Println(name, "has", len(items[name]), "bytes")
	}
	// Output:
	// friends_get_response fails: true okru: PERMISSION_DENIED (10): User must grant an access to permission 'VALUABLE_ACCESS'
	// users_getInfo_response has 43 bytes
}

// A write that failed with one of a few codes may have run. Find out before
// you repeat it.
func ExampleError_Is() {
	base := failing(2, `{"error_code":2,"error_msg":"SERVICE : Service is temporary unavailable"}`)
	client := &http.Client{Transport: okerrors.Decode(base)}
	for _, method := range []string{"users/getInfo", "mediatopic/post"} {
		_, err := client.Get("https://api.ok.ru/api/" + method)
		fmt.Println(method, errors.Is(err, okerrors.ErrTransient), errors.Is(err, okerrors.ErrOutcomeUnknown))
	}
	// Output:
	// users/getInfo true false
	// mediatopic/post true true
}

// A Code is an error by itself. One that this package does not know keeps its
// number.
func ExampleCode() {
	fmt.Println(okerrors.CodeParamSessionExpired)
	fmt.Println(errors.Is(okerrors.CodeParamSessionExpired, okerrors.ErrSession))
	fmt.Println(okerrors.Code(4242))
	// Output:
	// PARAM_SESSION_EXPIRED (102)
	// true
	// CODE (4242)
}

// The keys of a session that OK has replaced are reachable, and never printed.
func ExampleError_NewSession() {
	base := failing(107, `{"error_code":107,"error_msg":"PARAM_SESSION_KEY_CHANGED : Session key changed",`+
		`"session_key":"new-key","session_secret_key":"new-secret"}`)

	client := &http.Client{Transport: okerrors.Decode(base)}
	_, err := client.Get("https://api.ok.ru/fb.do?method=friends.get")
	if e, ok := errors.AsType[*okerrors.Error](err); ok {
		key, secret, ok := e.NewSession()
		fmt.Println(len(key), len(secret), ok)
		fmt.Printf("%+v\n", e)
	}
	// Output:
	// 7 10 true
	// okru: friends.get: PARAM_SESSION_KEY_CHANGED (107): Session key changed
}
