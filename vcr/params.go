package okvcr

import (
	"net/url"
	"strings"
)

// query returns a query, a form or a fragment without secrets. Order and
// escaping stay. What cannot be unescaped counts as not escaped.
func (c *cleaner) query(text string) string {
	var out []string
	for pair := range strings.SplitSeq(text, "&") {
		name, value, ok := strings.Cut(pair, "=")
		if ok {
			plain := unescape(value)
			if cleaned := c.value(unescape(name), plain); cleaned != plain {
				pair = name + "=" + url.QueryEscape(cleaned)
			}
		} else {
			pair = c.text(pair)
		}
		out = append(out, pair)
	}
	return strings.Join(out, "&")
}

func unescape(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// url returns an address, absolute or not, without the secrets in its user
// information, query and fragment.
func (c *cleaner) url(text string) string {
	rest, fragment, hasFragment := strings.Cut(text, "#")
	address, query, hasQuery := strings.Cut(rest, "?")
	out := c.address(address)
	if hasQuery {
		out += "?" + c.query(query)
	}
	if hasFragment {
		out += "#" + c.query(fragment)
	}
	return out
}

// address returns the part of a URL before the query, without secrets.
func (c *cleaner) address(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return c.unquote(text)
	}
	host, path, hasPath := strings.Cut(rest, "/")
	if user, after, ok := cutLast(host, "@"); ok {
		for part := range strings.SplitSeq(user, ":") {
			c.secret(unescape(part))
		}
		host = after
	}
	if hasPath {
		path = "/" + path
	}
	return scheme + "://" + host + c.unquote(path)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// isURL reports whether text is one absolute URL.
func isURL(text string) bool {
	return (strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://")) && !strings.ContainsAny(text, " \t\r\n\"'<>")
}

// values returns a copy of parsed parameters without secrets.
func (c *cleaner) values(v url.Values) url.Values {
	if v == nil {
		return nil
	}
	cleaned := make(url.Values, len(v))
	for name, list := range v {
		for _, value := range list {
			cleaned[name] = append(cleaned[name], c.value(name, value))
		}
	}
	return cleaned
}
