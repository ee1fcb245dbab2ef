package oauth

// SetRename replaces os.Rename in FileStore. It returns a function that restores
// it.
func SetRename(f func(from, to string) error) (restore func()) {
	old := rename
	rename = f
	return func() { rename = old }
}

// IsOlder reports whether a was issued before b, as far as they state it.
var IsOlder = isOlder

// BrowserCommand returns the command by which Loopback opens a browser.
var BrowserCommand = browserCommand
