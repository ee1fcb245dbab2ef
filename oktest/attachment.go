package oktest

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// mediaFields are the types of media that OK documents, with the field that
// each requires.
var mediaFields = map[string]string{
	"text": "text", "link": "url", "photo": "list", "movie": "list", "music": "tracks", "poll": "question",
	"app": "text", "topic": "topicId", "movie-reshare": "movieId", "photo-reshare": "photoId",
}

// parseAttachment returns the media of the attachment of a mediatopic, or the
// reason why it is wrong.
func parseAttachment(text string) (media []map[string]any, reason string) {
	var attachment struct{ Media []map[string]any }
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber() // ids are large numbers
	switch err := decoder.Decode(&attachment); {
	case err != nil || decoder.More():
		return nil, "attachment is not a JSON object with a list media"
	case len(attachment.Media) == 0:
		return nil, "attachment has no media"
	}
	for _, block := range attachment.Media {
		if reason := wrongBlock(block); reason != "" {
			return nil, reason
		}
	}
	return attachment.Media, ""
}

// wrongBlock returns what is wrong with one of the media, or "".
func wrongBlock(block map[string]any) string {
	kind, _ := block["type"].(string)
	field, ok := mediaFields[kind]
	if !ok {
		return "Unknown type of media " + strconv.Quote(kind)
	}
	switch {
	case isEmpty(block[field]):
		return "Media of type " + kind + " has no " + field
	case !hasRightType(field, block[field]):
		return "The " + field + " of media of type " + kind + " has the wrong type"
	case kind == "photo" && slices.ContainsFunc(block["list"].([]any), withoutID):
		return "A photo has no id"
	}
	return ""
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case string:
		return value == ""
	case []any:
		return len(value) == 0
	}
	return value == nil
}

func hasRightType(field string, value any) (ok bool) {
	switch field {
	case "list", "tracks":
		_, ok = value.([]any)
	case "text", "url", "question":
		_, ok = value.(string)
	default:
		ok = true // an id may be a text or a number
	}
	return ok
}

// withoutID reports whether a photo has neither the token of an upload nor the
// id of a photo that is on OK.
func withoutID(photo any) bool {
	return idOf(photo, "id") == "" && idOf(photo, "photoId") == "" && idOf(photo, "existing_photo_id") == ""
}
