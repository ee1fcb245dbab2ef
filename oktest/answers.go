package oktest

import (
	"maps"
	"slices"
	"strings"

	okerrors "github.com/go-okru/okru/errors"
)

// methods are the answers that oktest has of its own. Methods of OK that are
// not here answer an error until [Server.Handle] gives them an answer. It is
// filled by init since batch.execute, which is in it, looks into it.
var methods map[string]func(*apiCall) (any, error)

func init() {
	methods = map[string]func(*apiCall) (any, error){
		"auth.login":                 (*apiCall).authLogin,
		"auth.loginByToken":          (*apiCall).authLoginByToken,
		"auth.touchSession":          (*apiCall).authTouchSession,
		"batch.execute":              (*apiCall).batchExecute,
		"events.get":                 (*apiCall).eventsGet,
		"friends.areFriends":         (*apiCall).friendsAreFriends,
		"friends.get":                (*apiCall).friendsGet,
		"group.getInfo":              (*apiCall).groupGetInfo,
		"group.getMembers":           (*apiCall).groupGetMembers,
		"mediatopic.post":            (*apiCall).mediatopicPost,
		"photosV2.commit":            (*apiCall).photosCommit,
		"photosV2.getUploadUrl":      (*apiCall).photosGetUploadURL,
		"sdk.getInstallSource":       (*apiCall).sdkGetInstallSource,
		"sdk.init":                   (*apiCall).sdkInit,
		"users.getCallsLeft":         (*apiCall).usersGetCallsLeft,
		"users.getCurrentUser":       (*apiCall).usersGetCurrentUser,
		"users.getInfo":              (*apiCall).usersGetInfo,
		"users.getLoggedInUser":      (*apiCall).usersGetLoggedInUser,
		"users.hasAppPermission":     (*apiCall).usersHasAppPermission,
		"users.isAppUser":            (*apiCall).usersIsAppUser,
		"users.removeAppPermissions": (*apiCall).usersRemoveAppPermissions,
		"users.setStatus":            (*apiCall).usersSetStatus,
		"video.update":               (*apiCall).videoUpdate,
	}
}

// maxIDs is how many ids a list may have.
const maxIDs = 100

// needIDs returns a comma-joined list of ids.
func (c *apiCall) needIDs(name string) ([]string, error) {
	list, err := c.needParam(name)
	if err != nil {
		return nil, err
	}
	ids := splitList(list)
	if len(ids) > maxIDs {
		return nil, failParam(name, "Too many ids in "+name+": at most 100")
	}
	for _, id := range ids {
		if strings.Trim(id, "0123456789") != "" {
			return nil, fail(okerrors.CodeParamUserID, "Invalid id in "+name)
		}
	}
	return ids, nil
}

func splitList(list string) []string {
	items := strings.Split(list, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return slices.DeleteFunc(items, func(item string) bool { return item == "" })
}

// fieldsOf returns those of all that the parameter fields names, in upper or
// lower case, and usual ones if it names none. The first of usual is the id
// and always there.
func (c *apiCall) fieldsOf(all map[string]any, usual ...string) map[string]any {
	fields := splitList(strings.ToLower(c.Params.Get("fields")))
	if len(fields) == 0 {
		fields = usual
	}
	chosen := maps.Clone(all)
	maps.DeleteFunc(chosen, func(name string, _ any) bool {
		return name != usual[0] && !slices.Contains(fields, name)
	})
	return chosen
}
