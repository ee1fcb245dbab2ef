// Package docs has no code for programs. Its tests read the pages and the source
// of this project: that links, commands and names in pages exist, that figures
// are those of the generated files, that every exported name has a comment, and
// that every exported type is in an Example.
//
// The snippets of pages are run by test/docs, a module of its own because they
// use packages that the core does not require.
package docs
