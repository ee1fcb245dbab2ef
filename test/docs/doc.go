// Package docs has no code for programs. Its test compiles and runs every Go
// snippet of README.md, README.ru.md and docs/*.md, in which OK is a fake of
// package oktest. So a snippet that no longer compiles, or that fails, is
// found.
//
// A snippet is a code block with the language go. It is one of:
//
//   - A program, which begins with "package". It is run as it is, twice: without
//     settings, and with the variables OKRU_… of the environment set.
//   - Declarations. Those that have a Test function are run by go test. The
//     others need a comment that runs them, see below.
//   - Statements. They are the body of a function that returns an error: one that
//     they return is a failure. A name that they declare at the outermost level
//     need not be used.
//
// Declarations and statements have no imports: they get those of imports.go
// that they use. They may use the names of testdata/preamble.go. Anything else that they
// need is in a comment directly before the block, which Markdown does not show:
//
//	<!-- with
//	func New(dir string) oauth.Store { return oauth.FileStore(dir + "/session") }
//	-->
//
// What begins with func, type, var or const is added to the declarations; other
// lines are added to the statements, before the first of them, or after the
// declarations, which they run.
//
// Run the test with -count=1: the go command does not notice that a page of
// another module has changed.
//
// A block with the information string "text output" has what the snippet before
// it prints.
package docs
