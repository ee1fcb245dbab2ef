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
// # How a secret is found
//
// A server may escape a secret in several ways, one after the other, and the text
// before the secret may look like the beginning of an escape: "50%abc" ends with
// the secret abc, although %ab is an escape as well. A text that is decoded from
// its beginning, in any number of passes, does not have this secret any more.
//
// The text is therefore decoded from its end, in one pass: each position gets the
// character that a reader who begins there would read, and the position at which
// this reader goes on. The file reading.go does that. The positions are a tree,
// whose root is the end of the text. The file search.go goes through it from the
// root by the algorithm of Knuth, Morris and Pratt: how much of the secret matches
// at a position depends only on what matched at the position where the reader goes
// on. In a tree, unlike in a text, a mismatch may repeat; the table of a pattern
// skips the steps that fail again, so that log(n) steps remain for a secret of n
// bytes.
//
// # What no method of a type can prevent
//
// Package fmt does not call methods of values in unexported fields: with
// struct{ grant oauth.Code }, %+v prints all fields of the grant. Encoders
// that a program chooses itself, such as encoding/xml and encoding/gob, read
// exported fields directly, too. The documentation of each package with such
// types says so.
package redact
