package oktest

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"

	okerrors "github.com/go-okru/okru/errors"
)

//go:embed methods.tsv
var methodTable string

// sessionNeed is whether a method takes a session.
type sessionNeed string

// As methods.tsv spells them.
const (
	sessionRequired   sessionNeed = "required"
	sessionOptional   sessionNeed = "optional"
	sessionProhibited sessionNeed = "prohibited"
	sessionExternal   sessionNeed = "external" // required, but of an application inside OK
	sessionAny        sessionNeed = "any"      // not documented: with and without
)

// demand is what a method asks of a caller.
type demand struct {
	session sessionNeed
	scopes  []string
}

// demands returns what the methods that OK documents ask for.
var demands = sync.OnceValue(func() map[string]demand {
	table := make(map[string]demand)
	for line := range strings.Lines(methodTable) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) != 3 {
			continue // a comment
		}
		d := demand{session: sessionNeed(fields[1])}
		if fields[2] != "-" {
			d.scopes = strings.Split(fields[2], ",")
		}
		table[fields[0]] = d
	}
	return table
})

// demandOf returns what method asks for, and whether there is such a method.
func (s *Server) demandOf(method string) (demand, bool) {
	if d, ok := demands()[method]; ok {
		return d, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return demand{session: sessionAny}, s.handlers[method] != nil
}

// needsSession reports whether a call must have a session.
func (d demand) needsSession(native bool) bool {
	return d.session == sessionRequired || d.session == sessionExternal && !native
}

// unsignedMethods are documented as calls without a signature, or were seen to
// work without.
var unsignedMethods = map[string]bool{
	"auth.anonymLogin": true,
	"auth.login":       true,
	"sdk.init":         true,
}

// methods are the methods that oktest implements. The other methods of OK fail
// until [Server.Handle] gives them a handler. It is filled by init since
// batch.execute, which is in it, uses it.
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
		"group.getStatTopics":        (*apiCall).groupGetStatTopics,
		"mediatopic.getByIds":        (*apiCall).mediatopicGetByIDs,
		"mediatopic.post":            (*apiCall).mediatopicPost,
		"photos.createAlbum":         (*apiCall).photosCreateAlbum,
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
		"video.get":                  (*apiCall).videoGet,
		"video.getUploadUrl":         (*apiCall).videoGetUploadURL,
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
