// Command mutate changes the code of a module in one small place at a time and
// runs the tests of it. A change that no test notices survives: it shows a
// promise that no test checks, or code that has no effect.
//
//	go -C test/mutate run . -n 400 -seed 1 ../..
//	go -C test/mutate run . -n 50 ../.. ./ratelimit ./internal/...
//
// The first argument is the directory of the module. Package patterns may
// follow; without any it takes those in defaultPatterns. The same seed and
// the same code give the same sample.
//
// A mutant runs against the tests of its own package, then against those of
// the root package and, if its package is internal, of the packages that
// import it. It is killed by the first test that fails, does not end within
// -timeout, or needs more than 4 GiB of memory (Linux). Changes that do not
// compile are not counted. The files of the module are never written: go test
// sees a mutant through -overlay, so that several run at once.
//
// Two kinds of change are left out, because no user can notice them: the other
// results beside an error, which no caller may look at, and the capacity in a
// call of make. Texts of errors and tuned constants are changed like all else.
//
// It runs for hours on a small machine and is not part of the gate.
package main
