package okerrors

// Codes about a call as a whole, whatever its method.
const (
	// CodeUnknown is a fault of the server that has no other code. It may
	// pass, but for some objects it never does, so one repeat is enough.
	CodeUnknown Code = 1

	// CodeService says that a service behind the API is unavailable for now.
	CodeService Code = 2

	// CodeMethod says that there is no such method.
	CodeMethod Code = 3

	// CodeRequest says that the request is invalid and was not processed.
	CodeRequest Code = 4

	// CodeActionBlocked says that this user may not do this for a time. Do not
	// repeat it automatically.
	CodeActionBlocked Code = 7

	// CodeFloodBlocked is the flood protection: too many calls in a short
	// time. A repeat makes sense after a long pause.
	CodeFloodBlocked Code = 8

	// CodeIPBlocked says that calls from this IP address are blocked. Do not
	// repeat them automatically.
	CodeIPBlocked Code = 9

	// CodePermissionDenied says that the user did not grant a scope. The
	// message, and often Data, name it.
	CodePermissionDenied Code = 10

	// CodeLimitReached says that the quota of this method is used up. Do not
	// repeat it automatically.
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

	// CodeNotActive says that a notification was not sent, because the user
	// does not use the application.
	CodeNotActive Code = 25

	// CodeTotalLimitReached says that the quota of notifications is used up.
	CodeTotalLimitReached Code = 26

	// CodeTooLongRequestSize says that the request is too long. Some lists of
	// codes call this number NETWORK.
	CodeTooLongRequestSize Code = 30

	// CodeNetworkTimeout is a timeout of the network inside OK.
	CodeNetworkTimeout Code = 31

	// CodeNotAdmin says that the caller does not administer the group.
	CodeNotAdmin Code = 50

	// CodeNotSessionMethod says that a session was given to a method that
	// takes none.
	CodeNotSessionMethod Code = 451

	// CodeSessionRequired says that the method needs a session and none was
	// given. The session at hand, if any, is still good.
	CodeSessionRequired Code = 453

	// CodeBatch says that the batch of batch.execute is malformed.
	CodeBatch Code = 1200

	// CodeGraphParamRequest says that a Graph API request is malformed.
	CodeGraphParamRequest Code = 2001

	// CodeInvalidResponse says that OK got an invalid answer from a service
	// of its own.
	CodeInvalidResponse Code = 5000

	// CodeSystem is a critical system error. One repeat is enough.
	CodeSystem Code = 9999
)
