package rttest

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// bubble runs f in a bubble of package synctest. If f leaves goroutines
// behind, it calls leak with a function that returns who created them.
//
// The T is there because synctest asks for one. It reports nothing, so that
// Check needs no test around it. A data race found in the bubble is reported
// by the test that runs, all the same.
func bubble(f func(), leak func(creators func() []string)) {
	var tag string
	done := make(chan struct{})
	go func() { // which may end by Goexit, if synctest finds its T failed
		defer close(done)
		defer func() {
			if p := recover(); p != nil && !strings.Contains(fmt.Sprint(p), "deadlock") {
				panic(p)
			} else if p != nil {
				leak(func() []string { return creators(tag) })
			}
		}()
		synctest.Test(new(testing.T), func(*testing.T) {
			tag = bubbleTag()
			f()
		})
	}()
	<-done
}

// creators returns who created the goroutines of the bubble with this tag.
func creators(tag string) []string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var names []string
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		header, _, _ := strings.Cut(stack, "\n")
		if m := createdBy.FindStringSubmatch(stack); m != nil && tag != "" && strings.Contains(header, tag) {
			names = append(names, m[1])
		}
	}
	if len(names) == 0 { // the runtime prints stacks in a way unknown here
		return []string{"an unknown function"}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// createdBy is how the runtime prints who created a goroutine.
var createdBy = regexp.MustCompile(`created by (\S+)`)

// bubbleTag returns how the runtime marks the goroutines of this bubble:
// "goroutine 7 [running, synctest bubble 3]:".
func bubbleTag() string {
	stack := make([]byte, 256)
	header, _, _ := strings.Cut(string(stack[:runtime.Stack(stack, false)]), "\n")
	if i := strings.Index(header, "synctest bubble "); i >= 0 {
		return header[i:]
	}
	return ""
}
