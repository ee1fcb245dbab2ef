// Package oktest is a fake OK to test programs against: the REST API of
// api.ok.ru, its OAuth endpoints, and the login and consent pages of
// connect.ok.ru. It rejects what OK rejects, with checks of sessions and
// signatures that share no code with the rest of this module. It fails on
// demand in the ways that networks and OK fail, and keeps a journal of every
// call.
//
//	srv := oktest.New(t) // outside of tests: NewServer
//	anna := srv.NewUser("anna", "her password")
//
//	client, err := okru.NewClient(okru.Config{
//		ApplicationKey:    srv.App().Key,
//		ApplicationSecret: srv.App().Secret,
//		TokenSource:       oauth2.StaticTokenSource(anna.Token()),
//		Base:              srv.Transport(),
//	})
//
// # How to reach it
//
// [Server.Transport] is a RoundTripper that reaches the fake under the real
// URLs, https://api.ok.ru, https://connect.ok.ru and the hosts of uploads, and no
// other host: the program under test needs no change. [Server.InProcess] is the
// same without a network, for bubbles of testing/synctest, where days pass in no
// time; a goroutine that waits for a network would stop the clock there.
// [Server.HTTP2] is Transport over HTTP/2. [Server.URL] is plain http, for
// clients in other languages, curl and browsers. [Server.Handler] puts the fake
// into a server of the caller's.
//
// # Users and sessions
//
// A [User] signs in with login and password at the pages or by auth.login.
// Without that, [User.Token] returns a session with everything in it, and
// [User.AuthCode] a code to exchange. [Server.Expire], [Server.Revoke],
// [Server.Replace], [User.Revoke], [User.SetPassword] and [User.Withdraw] end
// sessions and consents; later calls get the code that OK sends in that case.
// Sessions last as long as those of OK unless [Server.Configure] changes that.
//
// # What is rejected
//
// In this order, by an API error in HTTP status 200 with the header
// Invocation-Error, in JSON or, if the call asks for that, in XML:
//
//   - a query or form that cannot be read, which includes a raw semicolon: 4;
//     a duplicate parameter, or a secret that was sent: 100
//   - no application_key, or an unknown one: 101
//   - no method, an unknown one, or one that the path spells as GROUP.NAME: 3
//   - a session where the method takes none: 451; none where it needs one: 453
//   - an empty session: 100; one that is unknown or revoked: 103, replaced:
//     107, expired: 102
//   - a wrong signature: 104, with a message that lists what must be signed in
//     which order and, if it is a well-known mistake, names the mistake
//   - a scope that the user did not grant: 10
//   - a call beyond a [Limit]: 8 unless set otherwise
//
// Of a Graph call, only the query, the token, the body and the limits are
// checked: see [Bot].
//
// A session with a secret of its own may be used in both circuits: signed with
// that secret, or with MD5(access_token + application_secret_key). A call must
// be signed, except for auth.login, auth.anonymLogin and sdk.init; [Settings]
// has AllowUnsigned for calls without a session. Methods that need a session of external applications only need one
// here as well, unless Settings has Native. A method whose need of a session
// OK does not document takes calls with a session and without. A method that
// works without a session needs no scope even if one is given, and neither
// does a session that was made with a password.
//
// # Methods
//
// There are ten thousand residents, 570000000001 to 570000010000, and three
// groups, 54000000000001 to 54000000000003. These methods work:
//
//   - users.getCurrentUser, users.getInfo, users.getLoggedInUser,
//     users.isAppUser, users.hasAppPermission, users.removeAppPermissions,
//     users.getCallsLeft, users.setStatus
//   - friends.get, friends.areFriends, events.get, group.getInfo,
//     group.getMembers with pages
//   - photosV2.getUploadUrl, the upload itself, whose files are named pic1 to
//     picN, photosV2.commit, and photos.createAlbum
//   - video.getUploadUrl, the upload itself, in one piece or resumable by
//     Content-Range, video.update with an empty response, and video.get
//   - mediatopic.post, group.getStatTopics and mediatopic.getByIds
//   - auth.login, auth.loginByToken, auth.touchSession, sdk.init,
//     sdk.getInstallSource, batch.execute
//
// [Server.Handle] adds or replaces a method.
//
// # Posts and uploads
//
// [Server.Photos], [Server.Videos] and [Server.Topics] return what has been
// uploaded and posted. No content is kept, only its size and digest. A post may
// show only what was uploaded: a photo by the token of its upload, which must
// not have been committed, or by the id of a photo that is on OK, which is not
// checked; a video by its id.
//
// OK does not document some forms, and the fake has its own: the status of a
// resumable upload and the responses to its chunks, 0-99/500; what an unknown
// upload URL gets, status 403; the order of group.getStatTopics, the newest first,
// its default of 10 topics and its bound of 100; photos and videos in
// the response of mediatopic.getByIds; which status video.get returns before
// the upload is complete; that a topic is listed at once, and that every user
// may post in every group.
//
// # Scopes
//
// The scopes that a user must have granted are those that OK documents for a
// method, such as
//
//	photosV2.getUploadUrl, photosV2.commit                  PHOTO_CONTENT
//	photos.createAlbum                                      PHOTO_CONTENT, VALUABLE_ACCESS
//	video.getUploadUrl, video.update                        VIDEO_CONTENT, VALUABLE_ACCESS
//	group.getMembers, group.getStatTopics                   GROUP_CONTENT, VALUABLE_ACCESS
//	mediatopic.getByIds                                     VALUABLE_ACCESS
//	mediatopic.post with gid                                GROUP_CONTENT
//	mediatopic.post with set_status=true, type=USER_STATUS  SET_STATUS
//	mediatopic.post with type=USER_NOTE                     PUBLISH_NOTE
//	users.setStatus                                         SET_STATUS
//
// The file methods.tsv of this package has all methods, with whether they take
// a session. A missing scope gets code 10, PERMISSION_DENIED, with its name as
// error_data.
//
// # Bots of groups
//
// [Server.NewBot] gives a group a bot with a token for the Graph API, which
// [Bot] lists. [Bot.Write] makes a user write to it: webhooks that the program
// has subscribed get the event, again and again until they accept it, and long
// polls return it. [Bot.Messages] lists what users and the program have written,
// and [Bot.Deliveries] the requests to webhooks, which come from this machine and
// not from the networks of OK.
//
// # Faults, limits and the journal
//
// [Server.Inject] makes calls fail by any code or HTTP status, breaks
// connections before or after the method ran or in the middle of an upload, and
// makes responses late, short, compressed or a web page: see [Fault].
// [Server.Limit] allows a rate or a quota: see [Limit]. [Server.Calls] lists the
// calls and their results, [Server.Exchanges] the requests to the token endpoint
// and [Server.Uploads] the requests to upload URLs. [Server.Duplicates] counts
// the writes that ran more than once, and [Server.Connections] the connections.
//
// # OAuth
//
// /oauth/token.do exchanges codes, which work once and for two minutes, and
// refresh tokens; a client_id that is not a number gets the HTML page that OK
// was recorded to send. /oauth/authorize takes a raw semicolon as data and leads through the pages under /dk, by
// cookies, to the redirect URI, with a code in its query or a session in its
// fragment. The consent page is left out when there is nothing to ask.
// [User.Require] adds a captcha, a phone check or a block. Unknown scopes are
// rejected, since a misspelled one would do harm later; what OK does with them
// is not documented. An unknown application gets status 401 and JSON.
//
// # Launches and payments
//
// [User.Launch] returns the parameters with which OK opens the page of an
// application, and [User.Payment] those of callbacks.payment. [Server.Pay] sends
// a payment to the program under test until that accepts it, three times at
// most, and [Server.Payments] is the journal. [Tamperings] are the forgeries
// that a program must reject. None of this needs package callback.
//
// Nothing here was compared with the live service. The sources are its
// documentation, its SDKs and recordings of its responses.
package oktest
