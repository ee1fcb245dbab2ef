//go:build !linux

package main

func limitMemory() error { return nil }
