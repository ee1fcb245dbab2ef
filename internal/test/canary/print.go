package canary

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"reflect"
	"slices"
)

// way is one way to print a value.
type way struct {
	by    string
	print func(v any) string
}

// verbs are those of package fmt, with the flags that change most. %p is left
// out: it prints what is no pointer without asking any method.
var verbs = []string{
	"%v", "%+v", "%#v", "%s", "%q", "%+q", "%#q", "%x", "%X", "% x", "%#x",
	"%d", "%b", "%o", "%c", "%U", "%e", "%t", "%T",
}

var ways = allWays()

func allWays() []way {
	list := slices.Clone(methods)
	for _, verb := range verbs {
		list = append(list, everywhere(verb, func(v any) string { return fmt.Sprintf(verb, v) })...)
	}
	list = append(list, everywhere("JSON", asJSON)...)
	list = append(list, everywhere("slog, text", func(v any) string {
		return logged(v, func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) })
	})...)
	list = append(list, everywhere("slog, JSON", func(v any) string {
		return logged(v, func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) })
	})...)
	return list
}

// everywhere returns print for a value by itself and for one that is part of
// another. There the methods of a pointer to the value are not asked.
func everywhere(by string, print func(any) string) []way {
	return []way{
		{by, print},
		{by + " of a pointer", func(v any) string { return print(pointer(v)) }},
		{by + " in a struct", func(v any) string { return print(struct{ V any }{v}) }},
		{by + " in a slice", func(v any) string { return print([]any{v}) }},
		{by + " in a map", func(v any) string { return print(map[string]any{"v": v}) }},
	}
}

// pointer returns a pointer to a copy of v.
func pointer(v any) any {
	if v == nil {
		return nil
	}
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	return p.Interface()
}

// methods are the ways that need no package to print.
var methods = []way{
	{"String", func(v any) string {
		if s, ok := v.(fmt.Stringer); ok {
			return s.String()
		}
		return ""
	}},
	{"GoString", func(v any) string {
		if s, ok := v.(fmt.GoStringer); ok {
			return s.GoString()
		}
		return ""
	}},
	{"the chain of errors", func(v any) string { err, _ := v.(error); return chain(err) }},
	{"log", func(v any) string {
		var b bytes.Buffer
		log.New(&b, "", 0).Print(v)
		return b.String()
	}},
	{"panic", func(v any) string { panic(v) }},
}

// attempt prints v. The text of a panic counts as printed, too: it reaches a
// log.
func attempt(print func(any) string, v any) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprint("panic: ", p)
		}
	}()
	return print(v)
}

// chain returns the text of err and of all that it wraps.
func chain(err error) string {
	if err == nil {
		return ""
	}
	text := fmt.Sprintf("%s %+v %#v\n", err.Error(), err, err)
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, inner := range joined.Unwrap() {
			text += chain(inner)
		}
	}
	return text + chain(errors.Unwrap(err))
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func logged(v any, handler func(*bytes.Buffer) slog.Handler) string {
	var b bytes.Buffer
	l := slog.New(handler(&b)).With("with", v).WithGroup("in")
	l.Info("message", "v", v, slog.Group("group", "v", v))
	return b.String()
}
