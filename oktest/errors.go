package oktest

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"strconv"
	"strings"

	okerrors "github.com/go-okru/okru/errors"
)

// fail returns the error that OK would send: its message has the form
// "NAME : text".
func fail(code okerrors.Code, text string) *okerrors.Error {
	return &okerrors.Error{Code: code, Message: message(code, text)}
}

// usualFailure is fail with the text that OK was seen to send.
func usualFailure(code okerrors.Code) *okerrors.Error { return fail(code, usualText(code)) }

// failParam is fail for code 100, about the parameter that is at fault.
func failParam(name, text string) *okerrors.Error {
	err := fail(okerrors.CodeParam, text)
	err.Field = name
	return err
}

func message(code okerrors.Code, text string) string {
	name, _, _ := strings.Cut(code.Error(), " ")
	return name + " : " + text
}

// usualTexts are the texts that OK was seen to send with some codes.
var usualTexts = map[okerrors.Code]string{
	okerrors.CodeService:                "Service is temporary unavailable.",
	okerrors.CodeFloodBlocked:           "Call blocked due to flood protection",
	okerrors.CodeLimitReached:           "Method call limit reached",
	okerrors.CodeParamSessionExpired:    "Session expired",
	okerrors.CodeParamSessionKey:        "Invalid session key",
	okerrors.CodeParamSessionKeyChanged: "Session key changed",
}

// usualText returns a text for an error that comes without one.
func usualText(code okerrors.Code) string {
	if text := usualTexts[code]; text != "" {
		return text
	}
	return "An error injected into oktest"
}

// replacedError is code 107, which brings the keys of the new session.
type replacedError struct {
	cause   *okerrors.Error
	session *session
}

func (e replacedError) Error() string { return e.cause.Error() }
func (e replacedError) Unwrap() error { return e.cause }

// errorObject is how OK writes an error.
type errorObject struct {
	Code             okerrors.Code   `json:"error_code"`
	Data             json.RawMessage `json:"error_data"`
	Message          string          `json:"error_msg"`
	Field            string          `json:"error_field,omitempty"`
	Custom           json.RawMessage `json:"custom_error,omitempty"`
	URL              string          `json:"ver_redirect_url,omitempty"`
	SessionKey       string          `json:"session_key,omitempty"`
	SessionSecretKey string          `json:"session_secret_key,omitempty"`
}

// xmlError is the same in XML, as far as that form goes.
type xmlError struct {
	XMLName   xml.Name      `xml:"ns2:error_response"`
	Namespace string        `xml:"xmlns:ns2,attr"`
	Code      okerrors.Code `xml:"error_code"`
	Message   string        `xml:"error_msg"`
}

// asAPIError returns the API error in err. An error that has none becomes code
// 1 with its text.
func asAPIError(err error) *okerrors.Error {
	if apiError, ok := errors.AsType[*okerrors.Error](err); ok {
		filled := *apiError
		if filled.Message == "" {
			filled.Message = message(filled.Code, usualText(filled.Code))
		}
		return &filled
	}
	if code, ok := errors.AsType[okerrors.Code](err); ok {
		return usualFailure(code)
	}
	return fail(okerrors.CodeUnknown, err.Error())
}

// failure returns the response for err, and records err in the call.
func (c *apiCall) failure(err error) response {
	e := asAPIError(err)
	c.Code, c.Refusal = e.Code, e.Message
	a := response{
		status: e.Status,
		header: http.Header{"Invocation-Error": {strconv.Itoa(int(e.Code))}},
	}
	if c.wantsXML() {
		text, _ := xml.Marshal(xmlError{Namespace: "http://api.forticom.com/1.0/", Code: e.Code, Message: e.Message})
		return a.with("application/xml;charset=utf-8", xml.Header+string(text))
	}
	object := errorObject{Code: e.Code, Data: e.Data, Message: e.Message, Field: e.Field, Custom: e.Custom, URL: e.URL}
	if replaced, ok := errors.AsType[replacedError](err); ok {
		object.SessionKey, object.SessionSecretKey = replaced.session.token, replaced.session.secret
	}
	return a.with(jsonType, marshal(object))
}

// wantsXML reports whether errors are to be in XML: by the parameter format or,
// without it, if the client accepts XML and not JSON.
func (c *apiCall) wantsXML() bool {
	if c.Params.Has("format") {
		return strings.EqualFold(c.Params.Get("format"), "xml")
	}
	accept := strings.ToLower(strings.Join(c.request.Header.Values("Accept"), ","))
	return strings.Contains(accept, "xml") && !strings.Contains(accept, "json")
}
