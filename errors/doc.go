// Package okerrors turns the errors of the OK API into Go errors.
// It lives in a folder named errors; import it as
//
//	import okerrors "github.com/go-okru/okru/errors"
//
// OK answers a call that failed with HTTP status 200 and an object such as
//
//	{"error_code":102,"error_msg":"PARAM_SESSION_EXPIRED : Session expired","error_data":null}
//
// [FromResponse] finds such an object without taking anything from the reader
// of the response. [Decode] is the layer that returns it as the error of the
// request, so that code written for plain net/http need not look.
//
// An [*Error] holds the error that the API sent. Its [Code] is an error as well, and
// every known code belongs to one class, so all of these work, also through
// [*net/url.Error] and errors wrapped by %w:
//
//	errors.Is(err, okerrors.CodeFloodBlocked) // this very code
//	errors.Is(err, okerrors.ErrThrottled)     // a class, to branch on
//	e, ok := errors.AsType[*okerrors.Error](err)
//
// An [*Error] only ever comes from the API. What another layer rejects by
// itself, and what the network does, are other errors.
//
// OK describes its errors at https://apiok.ru/en/dev/errors.
package okerrors
