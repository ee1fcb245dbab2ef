//go:build !plan9

package transport

import (
	"errors"
	"syscall"
)

// isRefused reports whether err is the refusal of a connection, which a dialer
// of package net tells in a *net.OpError, and others as it is.
func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
