package okerrors

// Codes about people and what they allow.
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

	// CodeIDsBlocked says that the protection against spam has blocked the
	// object or the user. Do not repeat the call automatically.
	CodeIDsBlocked Code = 511

	// CodeGroupDuplicateJoinRequest says that a request to join the group is
	// already there.
	CodeGroupDuplicateJoinRequest Code = 610

	// CodeGroupJoinRestriction says that the group cannot be joined.
	CodeGroupJoinRestriction Code = 611

	// CodeGroupJoinAgreementRestriction says that joining the group takes an
	// agreement.
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

	// CodeMediaTopicPollQuestionTextLimit says that the question of a poll is
	// too long.
	CodeMediaTopicPollQuestionTextLimit Code = 602

	// CodeMediaTopicPollAnswersLimit says that a poll has too many answers.
	CodeMediaTopicPollAnswersLimit Code = 603

	// CodeMediaTopicPollAnswerTextLimit says that an answer of a poll is too
	// long.
	CodeMediaTopicPollAnswerTextLimit Code = 604

	// CodeMediaTopicWithFriendsLimit says that too many friends are tagged.
	CodeMediaTopicWithFriendsLimit Code = 605

	// CodeMediaTopicWithFriendsUserLimit says that this user has tagged too
	// many friends.
	CodeMediaTopicWithFriendsUserLimit Code = 606

	// CodeMediaTopicLinkBadFormat says that a link of a topic is malformed.
	CodeMediaTopicLinkBadFormat Code = 607
)

// Codes about comments, messages and chats.
const (
	// CodeCommentNotFound says that the comment does not exist.
	CodeCommentNotFound Code = 700

	// CodeInvalidAuthor says that the comment or message is someone else's.
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

	// CodeStickerMessageInvalid says that a message with a sticker is
	// invalid.
	CodeStickerMessageInvalid Code = 708

	// CodeGifServiceUnavailableToUser says that the user has no GIFs.
	CodeGifServiceUnavailableToUser Code = 709

	// CodeChatMaxParticipantCountLimit says that the chat is full.
	CodeChatMaxParticipantCountLimit Code = 800

	// CodeChatParticipantsEmptyBlockedUsers says that nobody is left to chat
	// with, since all participants are blocked.
	CodeChatParticipantsEmptyBlockedUsers Code = 801

	// CodeChatParticipantsEmptyNonExistentUsers says that nobody is left to
	// chat with, since none of the participants exists.
	CodeChatParticipantsEmptyNonExistentUsers Code = 802
)
