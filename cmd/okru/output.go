package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"
)

// printJSON prints a response, indented. An empty one prints nothing.
func printJSON(w io.Writer, response json.RawMessage) error {
	var b bytes.Buffer
	if len(response) == 0 {
		return nil
	}
	if err := json.Indent(&b, response, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := b.WriteTo(w)
	return err
}

// sessionField matches a field of a JSON text that contains a session. A quoted
// text inside a string has backslashes, which it does not match.
var sessionField = regexp.MustCompile(`("(?:session_key|session_secret_key|access_token|refresh_token|auth_token)"\s*:\s*)"(?:[^"\\]|\\.)*"`)

// maskSessions returns a response without the sessions in it.
func maskSessions(response json.RawMessage) json.RawMessage {
	return sessionField.ReplaceAll(response, []byte(`$1"***"`))
}

// A table is made of responses: a line for each element of an array of objects,
// or for each field of another object. Its zero value is empty.
type table struct {
	columns []string
	rows    []map[string]string
}

// add adds a response. An empty one adds nothing.
func (t *table) add(response json.RawMessage) {
	if len(response) == 0 {
		return
	}
	for _, element := range elements(response) {
		row := make(map[string]string)
		for _, f := range fieldsOf(element) {
			if !slices.Contains(t.columns, f.name) {
				t.columns = append(t.columns, f.name)
			}
			row[f.name] = cell(f.value)
		}
		t.rows = append(t.rows, row)
	}
}

// elements returns what the lines of a table are about: the elements of an
// array, also if that is the only array of objects in an object, or else the
// response itself.
func elements(response json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(response, &list) == nil {
		return list
	}
	var found []json.RawMessage
	for _, f := range fieldsOf(response) {
		if json.Unmarshal(f.value, &list) != nil || len(list) == 0 || list[0][0] != '{' {
			continue
		}
		if found != nil {
			return []json.RawMessage{response}
		}
		found, list = list, nil
	}
	if found != nil {
		return found
	}
	return []json.RawMessage{response}
}

// A field is a column of a row.
type field struct {
	name  string
	value json.RawMessage
}

// fieldsOf returns the fields of an object in their order. Those of an object in
// a field have the name of both, such as location.city. Any other value has
// one field, value.
func fieldsOf(element json.RawMessage) []field {
	d := json.NewDecoder(bytes.NewReader(element))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return []field{{"value", element}}
	}
	var fields []field
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			break
		}
		if value[0] != '{' {
			fields = append(fields, field{name.(string), value})
			continue
		}
		for _, inner := range fieldsOf(value) {
			fields = append(fields, field{name.(string) + "." + inner.name, inner.value})
		}
	}
	return fields
}

// cell returns the text of a value.
func cell(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) != nil {
		text = string(value)
	}
	return printable(text)
}

// printable returns text with spaces for control characters, which could do
// anything in a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// flush prints the table.
func (t *table) flush(w io.Writer) error {
	if len(t.columns) == 0 {
		return nil
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, strings.ToUpper(strings.Join(t.columns, "\t")))
	for _, row := range t.rows {
		cells := make([]string, len(t.columns))
		for i, column := range t.columns {
			cells[i] = row[column]
		}
		fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	return tw.Flush()
}
