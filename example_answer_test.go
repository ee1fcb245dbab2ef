package okru_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/go-okru/okru"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// A response that OK did not send: a page of something in between.
func ExampleAnswerError() {
	fake := oktest.NewServer(oktest.App{})
	defer fake.Close()
	fake.Inject(oktest.Fault{Status: 502, Body: oktest.HTMLPage})
	client, err := okru.NewClient(okru.Config{
		ApplicationKey: fake.App().Key, ApplicationSecret: fake.App().Secret, Base: fake.Transport(), Retry: transport.Retry{Max: -1},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = okru.Call[any](context.Background(), client, "group.getInfo", nil)
	if e, ok := errors.AsType[*okru.AnswerError](err); ok {
		fmt.Println(e.Method, e.Status, e.ContentType)
	}
	// Output: group.getInfo 502 text/html
}
