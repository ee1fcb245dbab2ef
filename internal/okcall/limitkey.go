package okcall

// This file lets package ratelimit ask a source of package oauth for a key,
// although neither imports the other.

// A LimitKeyer is a token source that reports the key of its session for
// limits. The key is no secret, and it is the same in every process that has
// the session. "" means that the source has none.
type LimitKeyer interface{ LimitKey() string }

// LocalKey is the beginning of a default key for limits that this process made
// up: it means nothing in another one.
const LocalKey = "session "
