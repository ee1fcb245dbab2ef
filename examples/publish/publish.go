package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
)

// maxAttempts is how often one post may end with an unknown outcome before the
// program gives up.
const maxAttempts = 5

// A publisher publishes posts to a group.
type publisher struct {
	client  *http.Client
	group   string
	folder  fs.FS
	journal *journal
	settle  time.Duration
	bar     *bar
	out     io.Writer
}

// publishAll publishes the posts of a folder that are not in the group yet.
func publishAll(ctx context.Context, ok service, folder fs.FS, o options) error {
	posts, err := readPosts(folder)
	if err != nil {
		return err
	}
	j, err := openJournal(filepath.Join(o.state, "journal"))
	if err != nil {
		return err
	}
	defer j.close()
	if err := j.decide(o.posted, o.again); err != nil {
		return err
	}
	p := publisher{client: ok.client, group: ok.group, folder: folder, journal: j, settle: o.settle, bar: newBar(posts, terminal()), out: o.out}
	defer p.bar.clear()
	for _, m := range posts {
		if err := p.publish(ctx, m); err != nil {
			return fmt.Errorf("post %s: %w", m.name, err)
		}
		p.bar.finish(m)
	}
	p.say("all %d posts are in the group", len(posts))
	return nil
}

// decide notes what the user has found out about posts.
func (j *journal) decide(posted, again string) error {
	for name, state := range map[string]string{posted: done, again: absent} {
		if name == "" {
			continue
		}
		if j.last[name].State != intended {
			return fmt.Errorf("there is nothing to decide about the post %q", name)
		}
		if err := j.write(entry{Post: name, State: state}); err != nil {
			return err
		}
	}
	return nil
}

// publish posts m until it is certain that it is in the group.
func (p *publisher) publish(ctx context.Context, m post) error {
	for range maxAttempts {
		if p.journal.last[m.name].State == intended { // now, or before a restart
			if err := p.readBack(ctx, m); err != nil {
				return err
			}
		}
		if p.journal.last[m.name].State == done {
			return nil
		}
		if err := p.try(ctx, m); err != nil {
			return err
		}
	}
	return fmt.Errorf("its outcome was unknown %d times in a row", maxAttempts)
}

// try posts m once. If the outcome is unknown, m stays intended, and that is no
// error.
func (p *publisher) try(ctx context.Context, m post) error {
	tokens, err := p.upload(ctx, m)
	if err != nil {
		return err
	}
	known, err := p.topicsSince(ctx, time.Now().Add(-recent))
	if err != nil {
		return err
	}
	if err := p.journal.write(entry{Post: m.name, State: intended, Text: digest(m.text), Known: known}); err != nil {
		return err
	}
	id, err := okru.Call[string](ctx, p.client, "mediatopic.post", url.Values{
		"gid": {p.group}, "type": {"GROUP_THEME"}, "attachment": {attachment(m.text, tokens)},
	})
	switch {
	case errors.Is(err, okerrors.ErrOutcomeUnknown):
		p.say("%s: the outcome is unknown: %v", m.name, err)
		return nil
	case err != nil: // it has certainly not run
		return errors.Join(err, p.journal.write(entry{Post: m.name, State: absent}))
	}
	p.say("%s: posted as %s", m.name, id)
	return p.journal.write(entry{Post: m.name, State: done, Topic: id})
}

// say writes a line, above the bar.
func (p *publisher) say(format string, args ...any) {
	p.bar.clear()
	fmt.Fprintf(p.out, format+"\n", args...)
}

// attachment returns the attachment of a post. The text comes first, where
// wall.go looks for it.
func attachment(text string, tokens []string) string {
	type id struct {
		ID string `json:"id"`
	}
	type media struct {
		Type string `json:"type"`
		Text string `json:"text,omitempty"`
		List []id   `json:"list,omitempty"`
	}
	var all struct {
		Media []media `json:"media"`
	}
	if text != "" {
		all.Media = append(all.Media, media{Type: "text", Text: text})
	}
	if len(tokens) > 0 {
		photos := media{Type: "photo"}
		for _, token := range tokens {
			photos.List = append(photos.List, id{token})
		}
		all.Media = append(all.Media, photos)
	}
	encoded, _ := json.Marshal(all)
	return string(encoded)
}
