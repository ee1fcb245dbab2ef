package main

import (
	"context"
	"fmt"
)

// What the program prints without settings. Forgeries are reported to OnError,
// which writes to the log.
func Example() {
	if err := demonstrate(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// OK is a fake inside this program; set OKRU_APPLICATION_KEY for the real one.
	// launch:                 200, Анна Иванова has bought map[]
	// launch as another user: 403, open this page in OK
	// payment of a sword:     accepted, requests: 1
	// response lost:          accepted, requests: 2
	// wrong price:            canceled, CALLBACK_INVALID_PAYMENT (1001)
	// second amount added:    canceled, PARAM_SIGNATURE (104)
	// launch:                 200, Анна Иванова has bought map[shield:1 sword:1]
}
