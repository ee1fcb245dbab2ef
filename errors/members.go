package okerrors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strconv"

	"github.com/go-okru/okru/internal/param"
	"github.com/go-okru/okru/internal/redact"
)

// member is what the name of a top-level key in JSON, or of an element in XML,
// means in an error.
type member uint8

const (
	foreign member = iota // no error has it
	ignored               // an error may have it, and it tells us nothing
	errorCode
	errorMsg
	errorText
	errorPage
	errorData
	errorField
	customError
	verRedirectURL
	verificationURL
	sessionKey
	sessionSecretKey
	members int = iota
)

func memberOf(name []byte) member {
	switch string(name) {
	case "error_code":
		return errorCode
	case "error_msg":
		return errorMsg
	case "error":
		return errorText
	case "error_page":
		return errorPage
	case "error_data":
		return errorData
	case "error_field":
		return errorField
	case "custom_error":
		return customError
	case "ver_redirect_url":
		return verRedirectURL
	case "verification_url":
		return verificationURL
	case param.SessionKey:
		return sessionKey
	case param.SessionSecretKey:
		return sessionSecretKey
	}
	if bytes.HasPrefix(name, []byte("error")) {
		return ignored
	}
	return foreign
}

// object holds the members of an error as JSON, nil where there is none.
type object [members]json.RawMessage

// describe fills in what o says about e, but for the code. What people will
// print is rid of secrets here already, since package fmt prints the fields of
// an Error by itself where it cannot call methods.
func (o *object) describe(e *Error) {
	e.Message = redact.Text(cmp.Or(text(o[errorMsg]), text(o[errorText]), plain(o[errorPage])))
	e.Field = redact.Text(text(o[errorField]))
	e.URL = cmp.Or(text(o[verRedirectURL]), text(o[verificationURL]))
	e.Data = raw(o[errorData])
	e.Custom = raw(o[customError])
	if key, secret := text(o[sessionKey]), text(o[sessionSecretKey]); key != "" {
		e.session = func() (string, string) { return key, secret }
	}
}

// integer returns the value of an error_code. Only an integer is one: a
// string or a fraction may be data of a success.
func integer(value []byte) (Code, bool) {
	digits := bytes.TrimPrefix(value, []byte("-"))
	if len(digits) == 0 || digits[0] == '+' || digits[0] == '0' && len(digits) > 1 {
		return 0, false
	}
	n, err := strconv.Atoi(string(value))
	return Code(n), err == nil
}

// text returns the value of a string. A session key or secret of digits alone
// might come as a number, which is returned as it was written.
func text(value json.RawMessage) string {
	var s string
	if len(value) == 0 || json.Unmarshal(value, &s) == nil {
		return s
	}
	var n json.Number
	_ = json.Unmarshal(value, &n)
	return n.String()
}

// plain returns the message of an error_page, meant for the eyes of a user.
func plain(value json.RawMessage) string {
	if len(value) == 0 {
		return ""
	}
	var page struct {
		Message struct {
			Plain string `json:"plain"`
		} `json:"message"`
	}
	_ = json.Unmarshal(value, &page)
	return page.Message.Plain
}

// raw returns a copy of value, which shares memory with the body of the
// answer, unless it is not JSON after all.
func raw(value json.RawMessage) json.RawMessage {
	if !json.Valid(value) {
		return nil
	}
	return bytes.Clone(value)
}
