package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// machine describes what the figures come from.
func machine() string {
	cpu := processor()
	if cpu != "" {
		cpu = " of " + cpu
	}
	return fmt.Sprintf("%s, %s/%s, GOMAXPROCS %d%s", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), cpu)
}

// processor returns the model of the processor, on Linux.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		if strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// measured are the modules whose versions matter.
var measured = []string{
	"github.com/Azure/azure-sdk-for-go/sdk/azcore",
	"github.com/PuerkitoBio/rehttp",
	"github.com/dghubble/oauth1",
	"github.com/failsafe-go/failsafe-go",
	"github.com/go-resty/resty/v2",
	"github.com/hashicorp/go-retryablehttp",
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp",
	"go.uber.org/ratelimit",
	"golang.org/x/oauth2",
	"golang.org/x/time",
	"resty.dev/v3",
}

// versions lists them, as this program was built with them.
func versions() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown: this program was built without modules"
	}
	var list []string
	for _, dep := range info.Deps {
		if slices.Contains(measured, dep.Path) {
			list = append(list, dep.Path+" "+dep.Version)
		}
	}
	return strings.Join(list, ", ") + "."
}
