package keep

import (
	_ "github.com/gofrs/flock"
	_ "github.com/hashicorp/go-retryablehttp"
	_ "golang.org/x/net/html"
	_ "golang.org/x/sync/singleflight"
	_ "golang.org/x/time/rate"
)
