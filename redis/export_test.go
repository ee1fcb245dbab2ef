package okredis

// ReserveScript lets a test reserve slots without a process that uses them.
var ReserveScript = reserveScript
