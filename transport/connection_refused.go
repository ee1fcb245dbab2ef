//go:build !plan9

package transport

import (
	"errors"
	"syscall"
)

// isConnectionRefused reports whether err is the error of a connection that was
// refused. A dialer of package net puts it into a *net.OpError, others return
// it as it is.
func isConnectionRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
