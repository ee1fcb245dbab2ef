package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
)

// The fields of the forms that add a fault and a limit, as in [oktest.Fault]
// and [oktest.Limit].
var (
	faultFields = []string{"method", "times", "after_run", "reset", "code", "status", "body", "retry_after", "delay", "pause",
		"truncate", "chunked", "gzip"}
	limitFields = []string{"per_second", "burst", "calls", "window", "per", "method", "code", "status", "retry_after", "tell_wait"}
)

func (c *control) addFault(r *http.Request) (any, error) {
	f := form{values: r.PostForm}
	fault := oktest.Fault{
		Method:     f.text("method"),
		Times:      f.int("times"),
		AfterRun:   f.bool("after_run"),
		Reset:      f.bool("reset"),
		Code:       okerrors.Code(f.int("code")),
		Status:     f.int("status"),
		Body:       f.text("body"),
		RetryAfter: f.duration("retry_after"),
		Delay:      f.duration("delay"),
		Pause:      f.duration("pause"),
		Truncate:   f.bool("truncate"),
		Chunked:    f.bool("chunked"),
		Gzip:       f.bool("gzip"),
	}
	if f.err == nil && !f.any(faultFields[2:]) {
		f.err = errors.New("say what goes wrong: code, status, reset, delay, …")
	}
	if f.err != nil {
		return nil, f.err
	}
	c.srv.Inject(fault)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, f.String())
	return true, nil
}

func (c *control) clearFaults(*http.Request) (any, error) {
	c.srv.ClearFaults()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = nil
	return true, nil
}

// scopes are which calls share a limit, by name.
var limitScopes = map[string]oktest.Scope{
	"": oktest.PerApplication, "application": oktest.PerApplication, "session": oktest.PerSession, "user": oktest.PerUser, "ip": oktest.PerIP,
}

// addLimit replaces the limit: the usage so far is forgotten either way.
func (c *control) addLimit(r *http.Request) (any, error) {
	f := form{values: r.PostForm}
	per, err := oneOf(limitScopes, "per", f.text("per"))
	limit := oktest.Limit{
		PerSecond:  f.float("per_second"),
		Burst:      f.int("burst"),
		Calls:      f.int("calls"),
		Window:     f.duration("window"),
		Per:        per,
		Method:     f.text("method"),
		Code:       okerrors.Code(f.int("code")),
		Status:     f.int("status"),
		RetryAfter: f.duration("retry_after"),
		TellWait:   f.bool("tell_wait"),
	}
	if err = errors.Join(f.err, err); err == nil && limit.PerSecond <= 0 && limit.Calls <= 0 {
		err = errors.New("set per_second, or calls and window")
	}
	if err != nil {
		return nil, err
	}
	c.srv.Limit(limit)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limits = []string{f.String()}
	return true, nil
}

func (c *control) clearLimits(*http.Request) (any, error) {
	c.srv.Limit()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limits = nil
	return true, nil
}

// A form reads the fields of a form. An empty field is one that is not there.
// It keeps the first error.
type form struct {
	values url.Values
	err    error
}

func (f *form) text(name string) string { return f.values.Get(name) }

func (f *form) int(name string) int { return parseField(f, name, "3", strconv.Atoi) }

func (f *form) bool(name string) bool { return parseField(f, name, "true", strconv.ParseBool) }

func (f *form) float(name string) float64 {
	return parseField(f, name, "2.5", func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
}

func (f *form) duration(name string) time.Duration {
	return parseField(f, name, "300ms", time.ParseDuration)
}

// parseField returns the value of a field, which is written like example.
func parseField[T any](f *form, name, example string, parse func(string) (T, error)) T {
	text := f.values.Get(name)
	if text == "" {
		return *new(T)
	}
	value, err := parse(text)
	if err != nil && f.err == nil {
		f.err = fmt.Errorf("%s is %q; write it like %s", name, text, example)
	}
	return value
}

// any reports whether one of the fields is set.
func (f *form) any(names []string) bool {
	for _, name := range names {
		if f.values.Get(name) != "" {
			return true
		}
	}
	return false
}

// String returns the fields that are set.
func (f *form) String() string {
	set := make(url.Values)
	for name := range f.values {
		if value := f.values.Get(name); value != "" {
			set.Set(name, value)
		}
	}
	text, _ := url.QueryUnescape(set.Encode())
	return text
}
