// Package redact keeps secrets out of what is printed and passed on.
//
// It has three parts:
//
//   - [Secrets] finds values that are known to be secret in a text, plain or
//     escaped: Clean replaces them, In reports them, Mask overwrites them in
//     place.
//   - [Text] and [Page] find values that are secret by the name of their
//     parameter, or by their look.
//   - A [View] prints a value that holds secrets without them.
//
// All of them take time and memory linear in the text and in the secrets, and
// none of them can fail. They are meant for text of bounded length all the
// same: memory is about 16 bytes per byte of text. See [Truncate].
//
// # What no method of a type can prevent
//
// Package fmt does not call methods of values in unexported fields: with
// struct{ grant oauth.Code }, %+v prints all fields of the grant. Encoders
// that a program chooses itself, such as encoding/xml and encoding/gob, read
// exported fields directly, too. The documentation of each package with such
// types says so.
package redact
