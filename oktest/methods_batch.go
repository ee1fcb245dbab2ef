package oktest

import (
	"encoding/json"
	"net/url"
	"strings"

	okerrors "github.com/go-okru/okru/errors"
)

// batchItem is one call of a batch. A parameter is a scalar, or an object that
// names the field of an earlier response to take it from.
type batchItem struct {
	Method string                     `json:"method"`
	Params map[string]json.RawMessage `json:"params"`
}

// batchExecute returns an object with the response of each call, under
// GROUP_METHOD_response. What OK does with a call that fails, and with two
// calls of one method, is not documented: here the first has an error object
// for its response, and the second fails the batch.
func (c *apiCall) batchExecute() (any, error) {
	list, err := c.needParam("methods")
	if err != nil {
		return nil, err
	}
	var items []batchItem
	if err := json.Unmarshal([]byte(list), &items); err != nil {
		return nil, batchError("methods must be a JSON array of {method, params}")
	}
	results := make(map[string]json.RawMessage)
	for _, item := range items {
		key := batchKey(item.Method)
		if _, taken := results[key]; taken {
			return nil, batchError("Method " + item.Method + " comes more than once")
		}
		inner, err := c.inner(item, results)
		if err != nil {
			return nil, err
		}
		results[key] = json.RawMessage(inner.perform().body)
		if len(results[key]) == 0 {
			results[key] = json.RawMessage("null")
		}
	}
	return results, nil
}

func batchKey(method string) string { return strings.ReplaceAll(method, ".", "_") + "_response" }

func batchError(text string) error { return fail(okerrors.CodeBatch, text) }

// inner returns the call of an item: one of this session, signed by the batch.
func (c *apiCall) inner(item batchItem, results map[string]json.RawMessage) (*apiCall, error) {
	if strings.HasPrefix(item.Method, "batch.") {
		return nil, batchError("A batch cannot contain a batch")
	}
	params := url.Values{"application_key": {c.server.app.Key}, "format": {"json"}}
	for name, raw := range item.Params {
		value, ok := batchValue(raw, results)
		if !ok {
			return nil, batchError("Parameter " + name + " of " + item.Method + " takes its value from where there is none")
		}
		params.Set(name, value)
	}
	if c.session != nil {
		params.Set("access_token", c.session.token)
	}
	inner := &apiCall{server: c.server, request: c.request, session: c.session}
	inner.Call = c.Call
	inner.Method, inner.Params = item.Method, params
	return inner, nil
}

// batchValue returns the value of a parameter, from an earlier response if it
// is {"supplier": "group.method.field"}.
func batchValue(raw json.RawMessage, results map[string]json.RawMessage) (string, bool) {
	var from struct {
		Supplier string `json:"supplier"`
	}
	if json.Unmarshal(raw, &from) != nil || from.Supplier == "" {
		return scalar(raw), true
	}
	dot := strings.LastIndexByte(from.Supplier, '.')
	if dot < 0 {
		return "", false
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(results[batchKey(from.Supplier[:dot])], &fields) != nil {
		return "", false
	}
	value, ok := fields[from.Supplier[dot+1:]]
	return scalar(value), ok
}

// scalar returns a string without its quotes, and anything else as it is.
func scalar(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}
