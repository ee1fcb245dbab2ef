// Package e2e has no code of its own. Its tests drive what okru shows to
// people by a real browser: the example examples/weblogin, the sign-in of
// oauth.Loopback, and the pages of oktest.
//
// They need Chromium, and skip without it; with OKRU_REQUIRE=1 in the
// environment they fail instead.
package e2e
