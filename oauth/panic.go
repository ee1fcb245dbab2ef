package oauth

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// A caught panic is one of somebody else's code in a goroutine of ours, where
// it would end the program and nobody could recover it.
type caught struct {
	value any
	at    string // " in " the function and its line; empty if unknown
}

// catch calls fn. It returns the panic of fn, or nil.
func catch(fn func()) (c *caught) {
	defer func() {
		if value := recover(); value != nil {
			c = &caught{value, panicSite()}
		}
	}()
	fn()
	return nil
}

// again panics as the code that was called did, where its caller can recover.
func (c *caught) again() {
	if c != nil {
		panic(c.value)
	}
}

// failure returns what stands for c where an error is wanted.
func (c *caught) failure() error {
	f := &failure{text: "okru: panic" + c.at + ": "}
	switch v := c.value.(type) {
	case error:
		f.is = []error{v}
		f.text += secrets(nil).clean(v.Error())
	case string:
		f.text += secrets(nil).clean(v)
	default: // which may hold anything, a token for one
		f.text += fmt.Sprintf("%T", v)
	}
	return f
}

// panicSite returns the function that panics. Call it where recover was.
func panicSite() string {
	var stack [32]uintptr
	frames := runtime.CallersFrames(stack[:runtime.Callers(1, stack[:])])
	for panics, more := false, true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			panics = true
		case panics && !strings.HasPrefix(frame.Function, "runtime."):
			return fmt.Sprintf(" in %s (%s:%d)", frame.Function, filepath.Base(frame.File), frame.Line)
		}
	}
	return ""
}
