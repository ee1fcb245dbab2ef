package okru

// This file repeats a Call for the next page until there is none. OK has three
// names for the mark of a page, two for the flag that says whether there is more,
// and methods that send neither: a pager copes with all of them.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"net/http"
	"net/url"
)

// pageMarks are the parameters by which a call asks for the next page. The
// response to a call has the mark of the next page under the same name.
var pageMarks = [...]string{"anchor", "pagingAnchor", "marker"}

// errOffset is the error of a method that pages by offset.
var errOffset = errors.New("okru: Pages: params has an offset; methods that take one send no mark of the next page, so call them in a loop of your own")

// Pages calls an API method again and again, and returns the decoded responses
// in their order, one for each page. It sends what [Call] sends, and decodes as
// Call does. It does not modify params.
//
//	for page, err := range okru.Pages[Members](ctx, client, "group.getMembers", params) {
//		if err != nil {
//			return err
//		}
//		…
//	}
//
// The next call repeats params with the mark that the response has: its field
// anchor, pagingAnchor or marker, a string or a number. A page is requested when
// the loop asks for it, not before. Pages is over
//
//   - after an error, which is the last value, with a zero page;
//   - after a page whose has_more or hasMore is false;
//   - after a page whose mark is missing, empty, or one that was used before,
//     that of params included: some methods repeat the last mark;
//   - after a page without has_more and hasMore that has no field with a
//     non-empty array.
//
// Set count in params to the length of a page. An offset in params is an error:
// methods that take one have no marks. Each loop over the result begins at the
// first page. See https://apiok.ru/en/dev/methods.
func Pages[T any](ctx context.Context, c *http.Client, method string, params url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		p := pager{params: maps.Clone(params), used: make(map[string]bool)}
		if err := p.begin(); err != nil {
			yield(*new(T), err)
			return
		}
		for more := true; more; {
			text, err := Call[json.RawMessage](ctx, c, method, p.params)
			var page T
			if err == nil {
				more = p.next(text)
				err = decodePage(method, text, &page)
			}
			if err != nil {
				yield(*new(T), err)
				return
			}
			if !yield(page, nil) {
				return
			}
		}
	}
}

// decodePage decodes a response as Call does. An empty response leaves page
// zero.
func decodePage(method string, text json.RawMessage, page any) error {
	if len(text) == 0 {
		return nil
	}
	if err := decodeJSON(json.NewDecoder(bytes.NewReader(text)), page); err != nil {
		return &AnswerError{Method: method, Status: http.StatusOK, ContentType: "application/json", Err: err}
	}
	return nil
}

// A pager finds the marks of pages.
type pager struct {
	params url.Values      // of the next call; a copy of the caller's
	used   map[string]bool // marks, as name=value
}

// begin checks the parameters and notes the mark that they have.
func (p *pager) begin() error {
	if p.params.Has("offset") {
		return errOffset
	}
	if p.params == nil {
		p.params = make(url.Values)
	}
	for _, name := range pageMarks {
		p.used[name+"="+p.params.Get(name)] = true
	}
	return nil
}

// next reports whether there is a page after the one in text, and sets the
// parameters of its call.
func (p *pager) next(text json.RawMessage) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil || !hasMore(fields) {
		return false
	}
	for _, name := range pageMarks {
		mark := markOf(fields[name])
		if mark == "" {
			continue
		}
		if p.used[name+"="+mark] {
			return false
		}
		p.used[name+"="+mark] = true
		p.params.Set(name, mark)
		return true
	}
	return false
}

// hasMore reports whether the fields of a page allow another one.
func hasMore(fields map[string]json.RawMessage) bool {
	stated := false
	for _, name := range [...]string{"has_more", "hasMore"} {
		switch string(fields[name]) {
		case "", "null":
		// A string or a number in place of the boolean is read as well.
		case "false", `"false"`, "0":
			return false
		default:
			stated = true
		}
	}
	if stated {
		return true
	}
	for _, value := range fields {
		var list []json.RawMessage
		if json.Unmarshal(value, &list) == nil && len(list) > 0 {
			return true
		}
	}
	return false
}

// markOf returns the mark in value: the text of a string or a number.
func markOf(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	var number json.Number
	if json.Unmarshal(value, &number) == nil {
		return number.String()
	}
	return ""
}
