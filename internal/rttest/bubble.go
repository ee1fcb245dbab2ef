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

// bubble runs f in a bubble of package synctest and returns what f left
// behind: for each goroutine, who created it.
//
// The T is there because synctest asks for one. It reports nothing, so that
// Check needs no test around it. A data race found in the bubble is reported
// by the test that runs, all the same.
func bubble(f func()) (left []string) {
	var tag string
	done := make(chan struct{})
	go func() { // which may end by Goexit, if synctest finds its T failed
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				left = leftBehind(tag, p)
			}
		}()
		synctest.Test(new(testing.T), func(*testing.T) {
			tag = bubbleTag()
			f()
		})
	}()
	<-done
	return left
}

// leftBehind returns who created the goroutines of the bubble, given what
// synctest has panicked with.
func leftBehind(tag string, p any) []string {
	if !strings.Contains(fmt.Sprint(p), "deadlock") {
		panic(p)
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var left []string
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		header, _, _ := strings.Cut(stack, "\n")
		if m := createdBy.FindStringSubmatch(stack); m != nil && tag != "" && strings.Contains(header, tag) {
			left = append(left, m[1])
		}
	}
	slices.Sort(left)
	if len(left) == 0 { // the runtime prints stacks in a way unknown here
		left = []string{"an unknown function"}
	}
	return slices.Compact(left)
}

// How the runtime prints the bubble of a goroutine, and who created it.
var (
	inBubble  = regexp.MustCompile(`synctest bubble \d+[\],]`)
	createdBy = regexp.MustCompile(`created by (\S+)`)
)

// bubbleTag returns what marks the goroutines of this bubble in their stacks.
func bubbleTag() string {
	stack := make([]byte, 1<<10)
	return string(inBubble.Find(stack[:runtime.Stack(stack, false)]))
}
