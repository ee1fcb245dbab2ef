package oauth

// SetRename replaces os.Rename in FileStore. It returns a function that restores
// it.
func SetRename(f func(from, to string) error) (restore func()) {
	old := rename
	rename = f
	return func() { rename = old }
}

// BrowserCommand returns the command by which Loopback opens a browser.
var BrowserCommand = browserCommand
