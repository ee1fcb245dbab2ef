package token

// This file has what the errors of a token request may show. x/oauth2 keeps the
// whole response in them, and servers quote what they were sent.

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/oauth2"
)

// NewRetrieveError returns an error that contains nothing of a response but
// its status. RetrieveError.Error prints the whole body if there is no error
// code, and the body may quote what was sent.
func NewRetrieveError(status int) *oauth2.RetrieveError {
	return &oauth2.RetrieveError{Response: &http.Response{
		StatusCode: status,
		Status:     StatusText(status),
		Body:       http.NoBody,
	}}
}

// StatusText returns the status line of a code. The status line that a server
// sent may contain anything.
func StatusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// WithoutResponse returns the status and the error code of e, which clean makes safe
// to show.
func WithoutResponse(e *oauth2.RetrieveError, clean func(string) string) *oauth2.RetrieveError {
	status := 0
	if e.Response != nil {
		status = e.Response.StatusCode
	}
	own := NewRetrieveError(status)
	own.ErrorCode = clean(e.ErrorCode)
	return own
}

// RetrieveText returns the text of e, which WithoutResponse has returned.
func RetrieveText(e *oauth2.RetrieveError) string {
	text := "oauth2: cannot fetch token"
	if e.Response.StatusCode != 0 {
		text += fmt.Sprintf(": status %d", e.Response.StatusCode)
	}
	if e.ErrorCode != "" {
		text += ": " + e.ErrorCode
	}
	return text
}
