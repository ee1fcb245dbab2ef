package main

import "syscall"

// limitMemory bounds the address space of the tests, which inherit the limit:
// a mutant may allocate in an endless loop.
func limitMemory() error {
	const bound = 4 << 30
	return syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: bound, Max: bound})
}
