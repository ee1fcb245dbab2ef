package token

import (
	"encoding/json"
	"reflect"
	"strconv"

	"golang.org/x/oauth2"

	"github.com/go-okru/okru/internal/param"
)

// Extras returns a copy of all extras of t, or nil if there are none. Values
// are what encoding/json has for them: strings, bools, nil, float64,
// json.Number, []any and map[string]any. A number as session secret becomes a
// string.
//
// An oauth2.Token tells the value of an extra but not which extras it has
// (golang/oauth2 has no such method), so that a token cannot be stored and
// restored through its own methods. Reading the field by reflection is safe:
// should it be gone one day, the extras that OK is known to send are asked for
// by name.
func Extras(t *oauth2.Token) map[string]any {
	if t == nil {
		return nil
	}
	raw := reflect.ValueOf(t).Elem().FieldByName("raw")
	if !raw.IsValid() {
		return stringSecret(byName(t))
	}
	switch extras := plain(raw).(type) {
	case map[string]any:
		return stringSecret(extras)
	default:
		return nil
	}
}

// names lists the extras that the pages of OK document.
var names = [...]string{
	param.SessionSecretKey, "permissions_granted", "uid", "auth_token", "api_server",
	"auth_sig", "activated_profile", "auth_hash", "scope",
}

func byName(t *oauth2.Token) map[string]any {
	extras := make(map[string]any)
	for _, name := range names {
		if v := t.Extra(name); v != nil {
			extras[name] = v
		}
	}
	return extras
}

func stringSecret(extras map[string]any) map[string]any {
	switch secret := extras[param.SessionSecretKey].(type) {
	case float64:
		extras[param.SessionSecretKey] = strconv.FormatFloat(secret, 'f', -1, 64)
	case json.Number:
		extras[param.SessionSecretKey] = secret.String()
	}
	return extras
}

var numberType = reflect.TypeFor[json.Number]()

// plain copies v, which may come from an unexported field and so cannot be
// turned into an interface.
func plain(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			return plain(v.Elem())
		}
	case reflect.String:
		if v.Type() == numberType {
			return json.Number(v.String())
		}
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Map:
		return plainMap(v)
	case reflect.Slice, reflect.Array:
		return plainList(v)
	default:
		return plainNumber(v)
	}
	return nil
}

func plainNumber(v reflect.Value) any {
	switch {
	case v.CanInt():
		return number(json.Number(strconv.FormatInt(v.Int(), 10)))
	case v.CanUint():
		return number(json.Number(strconv.FormatUint(v.Uint(), 10)))
	case v.CanFloat():
		return v.Float()
	}
	return nil
}

func plainMap(v reflect.Value) any {
	if v.IsNil() || v.Type().Key().Kind() != reflect.String {
		return nil
	}
	values := make(map[string]any, v.Len())
	for it := v.MapRange(); it.Next(); {
		value := plain(it.Value())
		if list, ok := value.([]any); ok && v.Type().Elem().Kind() == reflect.Slice { // url.Values
			value = nil
			if len(list) > 0 {
				value = list[0]
			}
		}
		values[it.Key().String()] = value
	}
	return values
}

func plainList(v reflect.Value) any {
	values := make([]any, v.Len())
	for i := range values {
		values[i] = plain(v.Index(i))
	}
	return values
}

// Numbers returns value, and what is in it, with each json.Number as a float64,
// which is what users of encoding/json and x/oauth2 expect, unless that would
// change its digits: ids of OK have more than a float64 can hold. It changes
// maps and lists in place.
func Numbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		return number(v)
	case map[string]any:
		for name, field := range v {
			v[name] = Numbers(field)
		}
	case []any:
		for i, element := range v {
			v[i] = Numbers(element)
		}
	}
	return value
}

func number(n json.Number) any {
	f, err := n.Float64()
	if err != nil || strconv.FormatFloat(f, 'f', -1, 64) != n.String() {
		return n
	}
	return f
}
