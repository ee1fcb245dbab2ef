package okerrors

// Codes about parameters, the session and the application among them.
const (
	// CodeParam says that a parameter is missing or invalid; the message and
	// often Field name it. When that is the session, the code means the same
	// as [CodeParamSessionKey]: see [Error.SessionRefused].
	CodeParam Code = 100

	// CodeParamAPIKey says that the application key is missing or unknown.
	CodeParamAPIKey Code = 101

	// CodeParamSessionExpired says that the session has expired.
	CodeParamSessionExpired Code = 102

	// CodeParamSessionKey says that the session is invalid. It may have been
	// revoked, or ended by a new password.
	CodeParamSessionKey Code = 103

	// CodeParamSignature says that the signature is wrong. One made with
	// the secret of another application or session is.
	CodeParamSignature Code = 104

	// CodeParamResignature says that the second signature, resig, is wrong.
	CodeParamResignature Code = 105

	// CodeParamEntityID says that the id of a discussed object is invalid.
	CodeParamEntityID Code = 106

	// CodeParamSessionKeyChanged says that the session was replaced. The
	// answer brings the keys of the new one: see [Error.NewSession].
	CodeParamSessionKeyChanged Code = 107

	// CodeParamUserID says that a user id is invalid.
	CodeParamUserID Code = 110

	// CodeParamAlbumID says that an album id is invalid.
	CodeParamAlbumID Code = 120

	// CodeParamPhotoID says that a photo id is invalid.
	CodeParamPhotoID Code = 121

	// CodeParamWidget says that a widget id is invalid.
	CodeParamWidget Code = 130

	// CodeParamMessageID says that a message id is invalid.
	CodeParamMessageID Code = 140

	// CodeParamCommentID says that a comment id is invalid.
	CodeParamCommentID Code = 141

	// CodeParamHappeningID says that the id of a happening is invalid.
	CodeParamHappeningID Code = 150

	// CodeParamHappeningPhotoID says that the id of a happening's photo is
	// invalid.
	CodeParamHappeningPhotoID Code = 151

	// CodeParamGroupID says that a group id is invalid.
	CodeParamGroupID Code = 160

	// CodeParamPermission says that the application may not do this, usually
	// because the user has not authorized it.
	CodeParamPermission Code = 200

	// CodeParamApplicationDisabled says that the application is disabled.
	CodeParamApplicationDisabled Code = 210

	// CodeParamDecision says that the id of a decision is invalid.
	CodeParamDecision Code = 211

	// CodeParamBadgeID says that a badge id is invalid.
	CodeParamBadgeID Code = 212

	// CodeParamPresentID says that a present id is invalid.
	CodeParamPresentID Code = 213

	// CodeParamRelationType says that a type of relation is invalid.
	CodeParamRelationType Code = 214

	// CodeParamFieldset says that the set of fields asked for is invalid.
	CodeParamFieldset Code = 220
)

// Codes of signing in with a login and a password.
const (
	// CodeAuthLogin says that the login, password or token is wrong, or that
	// the user is deleted or blocked.
	CodeAuthLogin Code = 401

	// CodeAuthLoginCaptcha says that signing in takes a captcha.
	CodeAuthLoginCaptcha Code = 402

	// CodeAuthLoginWebHumanCheck says that the user must prove to be human,
	// at [Error.URL].
	CodeAuthLoginWebHumanCheck Code = 403

	// CodeIDsSessionVerificationRequired says that the user must verify the
	// session.
	CodeIDsSessionVerificationRequired Code = 514
)
