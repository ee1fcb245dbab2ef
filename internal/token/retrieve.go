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

// TextWithoutResponses returns the text of err, in which every RetrieveError that it
// wraps is replaced by its status and its error code, which clean makes safe to show.
func TextWithoutResponses(err error, clean func(string) string) string {
	text := err.Error()
	for _, e := range retrieveErrors(err) {
		text = strings.ReplaceAll(text, e.Error(), textOf(WithoutResponse(e, clean)))
	}
	return text
}

// retrieveErrors returns all that err is or wraps.
func retrieveErrors(err error) (all []*oauth2.RetrieveError) {
	switch e := err.(type) {
	case *oauth2.RetrieveError:
		return []*oauth2.RetrieveError{e}
	case interface{ Unwrap() error }:
		return retrieveErrors(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, cause := range e.Unwrap() {
			all = append(all, retrieveErrors(cause)...)
		}
	}
	return all
}

// textOf returns the text of e, which WithoutResponse has returned.
func textOf(e *oauth2.RetrieveError) string {
	text := "oauth2: cannot fetch token"
	if e.Response.StatusCode != 0 {
		text += fmt.Sprintf(": status %d", e.Response.StatusCode)
	}
	if e.ErrorCode != "" {
		text += ": " + e.ErrorCode
	}
	return text
}
