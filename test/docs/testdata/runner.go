package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

var stdout = json.NewEncoder(os.Stdout)

// run runs a snippet and prints how it ended, and what it printed.
func run(snippet func() error) {
	read, write, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	printed := make(chan string)
	go func() {
		text, _ := io.ReadAll(read)
		printed <- string(text)
	}()
	os.Stdout = write
	message := call(snippet)
	_ = write.Close()
	_ = stdout.Encode(map[string]string{"Output": <-printed, "Err": message})
}

// call returns the error of a snippet, or its panic.
func call(snippet func() error) (message string) {
	defer func() {
		if v := recover(); v != nil {
			message = fmt.Sprintf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	if err := snippet(); err != nil {
		return err.Error()
	}
	return ""
}
