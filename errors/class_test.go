package okerrors_test

import (
	"testing"

	okerrors "github.com/go-okru/okru/errors"
)

func TestClassTexts(t *testing.T) {
	for err, want := range map[error]string{
		okerrors.ErrSession:        "okru: session rejected",
		okerrors.ErrPermission:     "okru: permission denied",
		okerrors.ErrThrottled:      "okru: throttled",
		okerrors.ErrTransient:      "okru: transient fault",
		okerrors.ErrInvalid:        "okru: invalid call",
		okerrors.ErrNotFound:       "okru: not found",
		okerrors.ErrUserAction:     "okru: user action required",
		okerrors.ErrRule:           "okru: forbidden by a rule",
		okerrors.ErrOutcomeUnknown: "okru: the call may have run",
	} {
		if err.Error() != want {
			t.Errorf("the error is %q, want %q", err, want)
		}
	}
}
