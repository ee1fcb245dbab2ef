package okvcr

import (
	"encoding/json"
	"strings"
)

// isJSON reports whether text is a JSON object, list or string.
func isJSON(text string) bool {
	text = strings.TrimSpace(text)
	return text != "" && strings.ContainsRune(`{["`, rune(text[0])) && json.Valid([]byte(text))
}

// json returns valid JSON with its secrets replaced. Order, spaces and numbers
// stay as they are.
func (c *cleaner) json(text string) string {
	w := jsonWalk{cleaner: c, text: text}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil { // the end: text is valid
			w.out.WriteString(text[w.done:])
			return w.out.String()
		}
		w.token(token, int(d.InputOffset()))
	}
}

// A jsonWalk copies JSON token by token.
type jsonWalk struct {
	*cleaner
	text string
	done int // of text
	out  strings.Builder
	in   []jsonLevel
}

// A jsonLevel is an object or a list that the walk is in.
type jsonLevel struct {
	object  bool
	secret  bool // everything in it is
	field   bool // the next token is the name of a field
	current bool // the field that follows is secret
}

// token copies the text up to end, which is where token ends.
func (w *jsonWalk) token(token json.Token, end int) {
	switch t := token.(type) {
	case json.Delim:
		w.delim(t)
	case string:
		if w.isName() {
			w.in[len(w.in)-1].current = isSecretField(t)
		} else if cleaned := w.leaf(t); cleaned != t {
			w.replace(quote(cleaned), end)
		}
	case json.Number:
		if w.isSecret() {
			w.replace("0", end)
			w.secret(t.String())
		}
	}
	w.out.WriteString(w.text[w.done:end])
	w.done = end
	w.next(token)
}

func (w *jsonWalk) delim(d json.Delim) {
	switch d {
	case '{', '[':
		w.in = append(w.in, jsonLevel{object: d == '{', secret: w.isSecret(), field: d == '{'})
	default:
		w.in = w.in[:len(w.in)-1]
	}
}

// next notes that a name or a value has passed.
func (w *jsonWalk) next(token json.Token) {
	if token == json.Delim('{') || token == json.Delim('[') || len(w.in) == 0 {
		return
	}
	if level := &w.in[len(w.in)-1]; level.object {
		level.field = !level.field
	}
}

func (w *jsonWalk) isName() bool { return len(w.in) > 0 && w.in[len(w.in)-1].field }

// isSecret reports whether the value that begins here is a secret.
func (w *jsonWalk) isSecret() bool {
	if len(w.in) == 0 {
		return false
	}
	level := w.in[len(w.in)-1]
	return level.secret || level.object && level.current
}

func (w *jsonWalk) leaf(value string) string {
	if w.isSecret() {
		return w.secret(value)
	}
	return w.any(value)
}

// replace writes value instead of the one that ends at end, after the
// characters that separate it from the last one.
func (w *jsonWalk) replace(value string, end int) {
	between := w.text[w.done:end]
	w.out.WriteString(between[:len(between)-len(strings.TrimLeft(between, " \t\r\n,:"))])
	w.out.WriteString(value)
	w.done = end
}

func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string and a Builder do not fail
	return strings.TrimSuffix(b.String(), "\n")
}
