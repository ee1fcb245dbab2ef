package oauth

// This file has the names of the permissions that a program can ask for.

import "strings"

// Scopes that an application can ask a user for. Most must first be enabled
// for the application by api-support@ok.ru; one that is not enabled is left
// out silently. A call that lacks its scope fails with code 10, and the error
// names the scope.
//
// See https://apiok.ru/en/ext/oauth/permissions.
const (
	// ScopeValuableAccess is the main permission: most methods need it.
	ScopeValuableAccess = "VALUABLE_ACCESS"

	// ScopeLongAccessToken makes the access token last 30 days, counted anew
	// with each use. Its stated expiry is therefore a lower bound.
	ScopeLongAccessToken = "LONG_ACCESS_TOKEN"

	// ScopePhotoContent gives access to the user's photos and albums.
	ScopePhotoContent = "PHOTO_CONTENT"

	// ScopeGroupContent gives access to the user's groups.
	ScopeGroupContent = "GROUP_CONTENT"

	// ScopeVideoContent gives access to the user's videos.
	ScopeVideoContent = "VIDEO_CONTENT"

	// ScopeAppInvite allows inviting friends into the application.
	ScopeAppInvite = "APP_INVITE"

	// ScopeGetEmail gives access to the user's e-mail address.
	ScopeGetEmail = "GET_EMAIL"

	// ScopeSetStatus allows changing the user's status.
	ScopeSetStatus = "SET_STATUS"

	// ScopePublishNote allows publishing notes in the user's name.
	ScopePublishNote = "PUBLISH_NOTE"

	// ScopePublishToStream allows publishing to the user's feed. Older
	// applications have it.
	ScopePublishToStream = "PUBLISH_TO_STREAM"

	// ScopeLike allows liking photos and albums in the user's name.
	ScopeLike = "LIKE"

	// ScopeMessaging allows sending messages. Only old applications have it.
	ScopeMessaging = "MESSAGING"
)

// joinScopes joins scopes the way OK wants them. An element may itself be
// several, joined.
func joinScopes(scopes []string) string { return strings.Join(scopes, ";") }
