package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oauth"
)

// The exit codes, which the help of the root command documents.
const (
	exitOK = iota
	exitFailure
	exitUsage
	exitAPI
	exitSignIn
	exitUnknown
	exitDiffers
)

// An exitError is an error with an exit code of its own.
type exitError struct {
	code int
	err  error // may have no text: then nothing is printed
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usage returns an error about the arguments or settings.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// usageArgs makes errors of check those of usage.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usage("%w; see %s --help", err, cmd.CommandPath())
		}
		return nil
	}
}

// describe returns the text of an error, with what to do about a session.
func describe(err error) string {
	text := strings.TrimPrefix(err.Error(), "okru: ")
	if _, own := errors.AsType[*exitError](err); !own && exitCode(err) == exitSignIn {
		text += "; sign in again: run okru login, or set OKRU_ACCESS_TOKEN"
	}
	return text
}

// exitCode returns the exit code for an error of a command. That a write may
// have run comes first: with another code, a script might repeat it.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	_, isAPI := errors.AsType[*okerrors.Error](err)
	switch {
	case errors.Is(err, okerrors.ErrOutcomeUnknown):
		return exitUnknown
	case errors.Is(err, oauth.ErrSignIn), errors.Is(err, okerrors.ErrSession):
		return exitSignIn
	case isAPI:
		return exitAPI
	}
	return exitFailure
}
