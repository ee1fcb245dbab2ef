package okerrors

// Codes about applications and the devices they run on.
const (
	// CodeNoSuchApp says that there is no such application.
	CodeNoSuchApp Code = 900

	// CodeAppNoPlatformAllowed says that the application is allowed on no
	// platform.
	CodeAppNoPlatformAllowed Code = 1300

	// CodeAppDeviceNotAllowed says that the application is not allowed on
	// this device.
	CodeAppDeviceNotAllowed Code = 1301

	// CodeAppDeviceNotSpecified says that no device was specified.
	CodeAppDeviceNotSpecified Code = 1302

	// CodeAppEmptySearchParams says that a search by location has no
	// parameters.
	CodeAppEmptySearchParams Code = 1400

	// CodeAppSearchScenarioDoesNotExist says that a search by location names
	// an unknown scenario.
	CodeAppSearchScenarioDoesNotExist Code = 1401
)

// Codes about payments.
const (
	// CodeCallbackInvalidPayment is what your own server answers to a
	// callbacks.payment of OK that it does not accept.
	CodeCallbackInvalidPayment Code = 1001

	// CodePaymentIsRequiredPayment says that the service must be paid for.
	CodePaymentIsRequiredPayment Code = 1002

	// CodeInvalidPayment says that the payment is invalid.
	CodeInvalidPayment Code = 1003

	// CodeDuplicatePayment says that instant payments follow each other too
	// fast. Never repeat a payment by itself.
	CodeDuplicatePayment Code = 1004

	// CodeNotEnoughMoney says that the user has not enough money.
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
