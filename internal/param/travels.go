package param

// Travels reports whether query can stand in a URL as it is.
func Travels(query string) bool {
	for i := range len(query) {
		if kinds[query[i]] == illegal {
			return false
		}
	}
	return true
}
