package transport_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-okru/okru/transport"
)

// The known methods of the API that are safe to repeat, by group. The other
// known methods, and those that are not known, are judged by the same rule.
func ExampleRetryable() {
	methods, err := catalogue()
	if err != nil {
		fmt.Println(err)
	}
	group := ""
	for _, method := range methods {
		r, _ := http.NewRequest("GET", "https://api.ok.ru/fb.do?method="+method, nil)
		if !transport.Retryable(transport.Attempt{N: 1, Request: r, Err: errors.New("connection reset")}) {
			continue
		}
		g, name, _ := strings.Cut(method, ".")
		if g != group {
			group = g
			fmt.Printf("\n%s:", group)
		}
		fmt.Print(" ", name)
	}

	// Output:
	// apps: getAppPromoInfo getPlatformCatalogNodeTop getPlatformCatalogNodesTop getPlatformNew getPlatformTop getTop
	// badges: getBadgesInfo getUsersBadgesInfo
	// communities: getMembers
	// discussions: get getAttachedResources getComment getCommentLikes getComments getDiscussionComments getDiscussionCommentsCount getDiscussionLikes getDiscussions getDiscussionsNews getList
	// events: get
	// friends: get getAppUsers getAppUsersOnline getBirthdays getByDevices getMutualFriends getOnline getRelatives getRelativesV2 getSuggestions
	// group: getCounters getInfo getMembers getStatOverview getStatPeople getStatTopic getStatTopics getStatTrends getUserGroupsByIds getUserGroupsV2
	// interests: get
	// market: getByCatalog getByIds getCatalogsByGroup getCatalogsByIds getProducts
	// mediatopic: getByIds getPollAnswerVoters getRepublishedTopic
	// messagesV2: getAttachedResources getList getMessages
	// payment: getUserAccountBalance getUserAccountBonusBalance getVipStatus
	// photos: getAlbumInfo getAlbumLikes getAlbums getInfo getPhotoInfo getPhotoLikes getPhotoMarks getPhotos getTags getUserAlbumPhotos getUserPhotos
	// sdk: getEndpoints getInstallSource getNotes
	// stream: get isSubscribed
	// url: getInfo
	// users: getAdditionalInfo getCallsLeft getCurrentUser getFriendsHolidays getGames getGuests getHolidays getInfo getInfoBy getInvitableFriends getLoggedInUser getMobileOperator getPortalHolidays getSettings hasAppPermission isAppUser
	// vchat: getAnonymTokenByLink getConversationParams getExternalIdsByOkIds getOkIdByExternalId getOkIdsByExternalIds
	// video: get
	// widget: getWidgetContent getWidgets
}
