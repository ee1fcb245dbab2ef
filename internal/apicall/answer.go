package apicall

import "net/http"

// marked is the body of an answer that okerrors.FromResponse has looked at. It
// remembers that a Signer, which knows the hosts of the API, sent a call.
type marked interface {
	MarkCall()
	IsMarked() bool
}

// Mark notes that resp answers an API call, for the layers above, which do not
// know the hosts of the API.
func Mark(resp *http.Response) {
	if b, ok := resp.Body.(marked); ok {
		b.MarkCall()
	}
}

// IsMarked tells whether resp was marked.
func IsMarked(resp *http.Response) bool {
	if resp == nil {
		return false
	}
	b, ok := resp.Body.(marked)
	return ok && b.IsMarked()
}
