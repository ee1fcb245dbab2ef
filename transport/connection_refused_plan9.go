package transport

// isConnectionRefused returns false: the system has no number for this error.
func isConnectionRefused(error) bool { return false }
