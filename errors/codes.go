package okerrors

// This file has the constants of codes, grouped by subject. Their names and
// classes are in codes_table.go.

// Codes about a call as a whole, whatever its method.
const (
	// CodeUnknown is a fault of the server that has no other code. It may pass, but for some objects it
	// never does, so one repeat is enough.
	CodeUnknown Code = 1
	// CodeService says that a service behind the API is unavailable for now.
	CodeService Code = 2
	// CodeMethod says that there is no such method.
	CodeMethod Code = 3
	// CodeRequest says that the request is invalid and was not processed.
	CodeRequest Code = 4
	// CodeActionBlocked says that the user may not do this for some time. Do not repeat it automatically.
	CodeActionBlocked Code = 7
	// CodeFloodBlocked is the flood protection: too many calls in a short time. A repeat makes sense after
	// a long pause.
	CodeFloodBlocked Code = 8
	// CodeIPBlocked says that calls from this IP address are blocked. Do not repeat them automatically.
	CodeIPBlocked Code = 9
	// CodePermissionDenied says that the user did not grant a scope. The message, and often Data, name it.
	CodePermissionDenied Code = 10
	// CodeLimitReached says that the quota of this method is used up. Do not repeat it automatically.
	CodeLimitReached Code = 11
	// CodeCancelled says that the user cancelled the action.
	CodeCancelled Code = 12
	// CodeNotMultipart says that an upload was not multipart/form-data.
	CodeNotMultipart Code = 21
	// CodeNotActivated says that the user must activate the profile first.
	CodeNotActivated Code = 22
	// CodeNotYetInvolved says that the user has not joined the application.
	CodeNotYetInvolved Code = 23
	// CodeNotOwner says that the user does not own the object.
	CodeNotOwner Code = 24
	// CodeNotActive says that a notification was not sent, because the user does not use the application.
	CodeNotActive Code = 25
	// CodeTotalLimitReached says that the quota of notifications is used up.
	CodeTotalLimitReached Code = 26
	// CodeTooLongRequestSize says that the request is too long. Other lists of codes, two of three, call
	// this number NETWORK.
	CodeTooLongRequestSize Code = 30
	// CodeNetworkTimeout says that the client was too slow to send the body of its request: OK stopped
	// waiting for it.
	CodeNetworkTimeout Code = 31
	// CodeNotAdmin says that the caller does not administer the group.
	CodeNotAdmin Code = 50
	// CodeNotSessionMethod says that a session was given to a method that takes none.
	CodeNotSessionMethod Code = 451
	// CodeSessionRequired says that the method needs a session and none was given. A session that the
	// program has is still valid.
	CodeSessionRequired Code = 453
	// CodeBatch says that the batch of batch.execute is malformed.
	CodeBatch Code = 1200
	// CodeGraphParamRequest says that a Graph API request is malformed.
	CodeGraphParamRequest Code = 2001
	// CodeInvalidResponse says that a wrong response format was requested. Leave out the parameter format,
	// or set it to json.
	CodeInvalidResponse Code = 5000
	// CodeSystem is a critical system error. One repeat is enough.
	CodeSystem Code = 9999
)

// Codes about parameters, the session and the application among them.
const (
	// CodeParam says that a parameter is missing or invalid; the message and often Field name it. If that
	// is the session, the code means the same as [CodeParamSessionKey]: see [Error.SessionRejected].
	CodeParam Code = 100
	// CodeParamAPIKey says that the application key is missing or unknown.
	CodeParamAPIKey Code = 101
	// CodeParamSessionExpired says that the session has expired.
	CodeParamSessionExpired Code = 102
	// CodeParamSessionKey says that the session is invalid. It may have been revoked, or ended by a new
	// password.
	CodeParamSessionKey Code = 103
	// CodeParamSignature says that the signature is wrong. One made with the secret of another application
	// or session is wrong, too.
	CodeParamSignature Code = 104
	// CodeParamResignature says that the second signature, resig, is wrong.
	CodeParamResignature Code = 105
	// CodeParamEntityID says that the id of a discussed object is invalid.
	CodeParamEntityID Code = 106
	// CodeParamSessionKeyChanged says that the session was replaced. The response has the keys of the new
	// one: see [Error.NewSession].
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
	// CodeParamHappeningPhotoID says that the id of a happening's photo is invalid.
	CodeParamHappeningPhotoID Code = 151
	// CodeParamGroupID says that a group id is invalid.
	CodeParamGroupID Code = 160
	// CodeParamPermission says that the application may not do this, usually because the user has not
	// authorized it.
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
	// CodeAuthLogin says that the login, password or token is wrong, or that the user is deleted or
	// blocked.
	CodeAuthLogin Code = 401
	// CodeAuthLoginCaptcha says that a captcha must be solved to sign in.
	CodeAuthLoginCaptcha Code = 402
	// CodeAuthLoginWebHumanCheck says that the user must pass a check at [Error.URL].
	CodeAuthLoginWebHumanCheck Code = 403
	// CodeIDsSessionVerificationRequired says that the user must verify the session.
	CodeIDsSessionVerificationRequired Code = 514
)

// Codes about users and groups and what they allow.
const (
	// CodeNotFound says that what was asked for does not exist.
	CodeNotFound Code = 300
	// CodeCensorMatch says that a text was rejected by the censor.
	CodeCensorMatch Code = 454
	// CodeFriendRestriction says that a friend does not allow this.
	CodeFriendRestriction Code = 455
	// CodeGroupRestriction says that the group does not allow this.
	CodeGroupRestriction Code = 456
	// CodeUnauthorizedRestriction says that access is not authorized.
	CodeUnauthorizedRestriction Code = 457
	// CodePrivacyRestriction says that privacy settings forbid this.
	CodePrivacyRestriction Code = 458
	// CodeIDsBlocked says that the protection against spam has blocked the object or the user. Do not
	// repeat the call automatically.
	CodeIDsBlocked Code = 511
	// CodeGroupDuplicateJoinRequest says that a request to join the group exists already.
	CodeGroupDuplicateJoinRequest Code = 610
	// CodeGroupJoinRestriction says that the group cannot be joined.
	CodeGroupJoinRestriction Code = 611
	// CodeGroupJoinAgreementRestriction says that the user must accept an agreement to join the group.
	CodeGroupJoinAgreementRestriction Code = 612
)

// Codes about photos.
const (
	// CodeEditPhotoFile says that the multipart upload cannot be processed.
	CodeEditPhotoFile Code = 324
	// CodePhotoSizeLimitExceeded says that the image has too many bytes.
	CodePhotoSizeLimitExceeded Code = 500
	// CodePhotoSizeTooSmall says that the image has too few pixels.
	CodePhotoSizeTooSmall Code = 501
	// CodePhotoSizeTooBig says that the image has too many pixels.
	CodePhotoSizeTooBig Code = 502
	// CodePhotoInvalidFormat says that the format of the image is unknown.
	CodePhotoInvalidFormat Code = 503
	// CodePhotoImageCorrupted says that the image is corrupt.
	CodePhotoImageCorrupted Code = 504
	// CodePhotoNoImage says that the request has no image.
	CodePhotoNoImage Code = 505
	// CodePhotoPinTooMuch says that the photo has too many pins.
	CodePhotoPinTooMuch Code = 508
	// CodePhotoAlbumNotBelongsToUser says that the album is not the user's.
	CodePhotoAlbumNotBelongsToUser Code = 512
	// CodePhotoAlbumNotBelongsToGroup says that the album is not the group's.
	CodePhotoAlbumNotBelongsToGroup Code = 513
)

// Codes about media topics.
const (
	// CodeMediaTopicBlockLimit says that a topic has too many media blocks.
	CodeMediaTopicBlockLimit Code = 600
	// CodeMediaTopicTextLimit says that the text of a topic is too long.
	CodeMediaTopicTextLimit Code = 601
	// CodeMediaTopicPollQuestionTextLimit says that the question of a poll is too long.
	CodeMediaTopicPollQuestionTextLimit Code = 602
	// CodeMediaTopicPollAnswersLimit says that a poll has too many choices.
	CodeMediaTopicPollAnswersLimit Code = 603
	// CodeMediaTopicPollAnswerTextLimit says that a choice of a poll is too long.
	CodeMediaTopicPollAnswerTextLimit Code = 604
	// CodeMediaTopicWithFriendsLimit says that too many friends are tagged.
	CodeMediaTopicWithFriendsLimit Code = 605
	// CodeMediaTopicWithFriendsUserLimit says that this user has tagged too many friends.
	CodeMediaTopicWithFriendsUserLimit Code = 606
	// CodeMediaTopicLinkBadFormat says that a link of a topic is malformed.
	CodeMediaTopicLinkBadFormat Code = 607
)

// Codes about comments, messages and chats.
const (
	// CodeCommentNotFound says that the comment does not exist.
	CodeCommentNotFound Code = 700
	// CodeInvalidAuthor says that the comment or message is by another user.
	CodeInvalidAuthor Code = 701
	// CodeCommentNotActive says that the comment was removed.
	CodeCommentNotActive Code = 702
	// CodeTimeoutExceeded says that the time to edit is over.
	CodeTimeoutExceeded Code = 704
	// CodeChatNotFound says that the chat does not exist.
	CodeChatNotFound Code = 705
	// CodeMessageNotActive says that the message was removed.
	CodeMessageNotActive Code = 706
	// CodeStickerServiceUnavailableToUser says that the user has no stickers.
	CodeStickerServiceUnavailableToUser Code = 707
	// CodeStickerMessageInvalid says that a message with a sticker is invalid.
	CodeStickerMessageInvalid Code = 708
	// CodeGifServiceUnavailableToUser says that the user has no GIFs.
	CodeGifServiceUnavailableToUser Code = 709
	// CodeChatMaxParticipantCountLimit says that the chat is full.
	CodeChatMaxParticipantCountLimit Code = 800
	// CodeChatParticipantsEmptyBlockedUsers says that the chat would have no participants: all of them are
	// blocked.
	CodeChatParticipantsEmptyBlockedUsers Code = 801
	// CodeChatParticipantsEmptyNonExistentUsers says that the chat would have no participants: none of
	// them exists.
	CodeChatParticipantsEmptyNonExistentUsers Code = 802
)

// Codes about applications and the devices they run on.
const (
	// CodeNoSuchApp says that there is no such application.
	CodeNoSuchApp Code = 900
	// CodeAppNoPlatformAllowed says that the application is allowed on no platform.
	CodeAppNoPlatformAllowed Code = 1300
	// CodeAppDeviceNotAllowed says that the application is not allowed on this device.
	CodeAppDeviceNotAllowed Code = 1301
	// CodeAppDeviceNotSpecified says that no device was specified.
	CodeAppDeviceNotSpecified Code = 1302
	// CodeAppEmptySearchParams says that a search by location has no parameters.
	CodeAppEmptySearchParams Code = 1400
	// CodeAppSearchScenarioDoesNotExist says that a search by location names an unknown scenario.
	CodeAppSearchScenarioDoesNotExist Code = 1401
)

// Codes about payments.
const (
	// CodeCallbackInvalidPayment is what your own server sends in response to a callbacks.payment of OK
	// that it does not accept.
	CodeCallbackInvalidPayment Code = 1001
	// CodePaymentIsRequiredPayment says that the service must be paid for.
	CodePaymentIsRequiredPayment Code = 1002
	// CodeInvalidPayment says that the payment is invalid.
	CodeInvalidPayment Code = 1003
	// CodeDuplicatePayment says that instant payments follow each other too fast. Never repeat a payment
	// automatically.
	CodeDuplicatePayment Code = 1004
	// CodeNotEnoughMoney says that the user does not have enough money.
	CodeNotEnoughMoney Code = 1005
)

// Codes about video chats and the users called.
const (
	// CodeVchatServiceDisabled says that video chat is disabled.
	CodeVchatServiceDisabled Code = 1101
	// CodeTargetUserUnavailable says that the user cannot be called.
	CodeTargetUserUnavailable Code = 1102
	// CodeFriendshipRequired says that the other user must be a friend.
	CodeFriendshipRequired Code = 1103
	// CodeUserIsBlocked says that the user is blocked.
	CodeUserIsBlocked Code = 2002
	// CodeUserIsDeleted says that the user is deleted.
	CodeUserIsDeleted Code = 2004
)
