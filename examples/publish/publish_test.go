package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/oktest"
	"github.com/go-okru/okru/transport"
)

// A stage is a fake with a folder of posts, in the simulated time of a bubble.
type stage struct {
	fake    *oktest.Server
	service service
	folder  fstest.MapFS
	state   string
	out     bytes.Buffer
	secrets []string
	foreign atomic.Bool // a post of someone else is under way
}

func file(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content)} }

func inBubble(t *testing.T, folder fstest.MapFS, test func(t *testing.T, s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{fake: oktest.New(t), folder: folder, state: filepath.Join(t.TempDir(), "state")}
		app, user := s.fake.App(), s.fake.NewUser("anna", "password").Token("VALUABLE_ACCESS", "GROUP_CONTENT", "PHOTO_CONTENT")
		var err error
		s.service, err = connect(credentials{app.ID, app.Key, app.Secret, user.RefreshToken}, demoGroup, s.state, s.fake.InProcess(), transport.Retry{})
		if err != nil {
			t.Fatal(err)
		}
		s.secrets = []string{app.Secret, user.RefreshToken}
		test(t, s)
	})
}

// publish runs the program once.
func (s *stage) publish(ctx context.Context, decisions ...string) error {
	o := options{state: s.state, settle: time.Minute, out: &s.out}
	for _, d := range decisions {
		if name, ok := strings.CutPrefix(d, "-posted "); ok {
			o.posted = name
		} else {
			o.again = strings.TrimPrefix(d, "-again ")
		}
	}
	return publishAll(ctx, s.service, s.folder, o)
}

// texts returns the texts of the group.
func (s *stage) texts() (texts []string) {
	for _, topic := range s.fake.Topics(demoGroup) {
		texts = append(texts, strings.Join(topic.Texts, "|"))
	}
	return texts
}

// lose makes the response to the next post be lost, after it ran or instead.
func (s *stage) lose(ran bool) {
	s.fake.Inject(oktest.Fault{
		Method: "mediatopic.post", Match: func(oktest.Call) bool { return !s.foreign.Load() },
		Reset: true, AfterRun: ran, Times: 1,
	})
}

func TestPublish(t *testing.T) {
	folder, err := fs.Sub(demoPosts, "posts")
	if err != nil {
		t.Fatal(err)
	}
	inBubble(t, nil, func(t *testing.T, s *stage) {
		s.lose(true)
		s.lose(false)
		s.fake.Inject(oktest.Fault{Method: oktest.PhotoUpload, CutAfter: 200, Times: 2})
		o := options{state: s.state, settle: time.Minute, out: &s.out}
		for range 2 {
			if err := publishAll(t.Context(), s.service, folder, o); err != nil {
				t.Fatal(err)
			}
		}
		topics := s.fake.Topics(demoGroup)
		if len(topics) != 3 || len(topics[0].Photos) != 0 || len(topics[1].Photos) != 2 || len(topics[2].Photos) != 1 {
			t.Fatalf("topics are %+v", topics)
		}
		if first := topics[1].Photos[0]; first.Name != "1.png" || first.GroupID != demoGroup || first.AssignedID != "" {
			t.Errorf("the first picture is %+v", first)
		}
		journal, err := os.ReadFile(filepath.Join(s.state, "journal"))
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range slices.Concat(s.fake.Calls(), s.fake.Exchanges(), s.fake.Uploads()) {
			s.secrets = append(s.secrets, call.Params.Get("access_token"), call.Params.Get("sig"), call.Params.Get("apiToken"))
		}
		s.secrets = slices.DeleteFunc(s.secrets, func(secret string) bool { return secret == "" })
		if len(s.secrets) < 10 {
			t.Errorf("only %d secrets are looked for", len(s.secrets))
		}
		for _, secret := range s.secrets {
			if strings.Contains(string(journal)+s.out.String(), secret) {
				t.Errorf("the journal or the output shows %q", secret)
			}
		}
	})
}

// What a lost response leaves in the group decides what happens to the post.
func TestReadBack(t *testing.T) {
	const text = "The post"
	for name, test := range map[string]struct {
		text      string // of the post
		ran       bool   // the post whose response is lost
		foreign   string // text of a topic of someone else, at the same time; empty: none
		undecided bool
		decision  string
		want      []string // the texts of the group in the end, sorted
	}{
		"there":                 {text: text, ran: true, want: []string{text}},
		"not there":             {text: text, want: []string{text}},
		"there, and another":    {text: text, ran: true, foreign: "Another", want: []string{"Another", text}},
		"another only":          {text: text, foreign: "Another", undecided: true, decision: "-again 1", want: []string{"Another", text}},
		"two of the same text":  {text: text, ran: true, foreign: text, undecided: true, decision: "-posted 1", want: []string{text, text}},
		"no text, there":        {ran: true, undecided: true, decision: "-posted 1", want: []string{""}},
		"no text, not there":    {want: []string{""}},
		"white space":           {text: "The \n\n post ", ran: true, want: []string{"The \n\n post"}},
		"no text, another only": {foreign: "Another", undecided: true, decision: "-again 1", want: []string{"", "Another"}},
	} {
		t.Run(name, func(t *testing.T) {
			folder := fstest.MapFS{"1/a.png": file("picture")}
			if test.text != "" {
				folder["1/text.md"] = file(test.text)
			}
			inBubble(t, folder, func(t *testing.T, s *stage) {
				s.meanwhile(t, test.foreign)
				s.lose(test.ran)
				err := s.publish(t.Context())
				if errors.Is(err, errUndecided) != test.undecided || err != nil && !test.undecided {
					t.Fatalf("error is %v", err)
				}
				if test.undecided {
					before := s.texts()
					if err := s.publish(t.Context()); !errors.Is(err, errUndecided) || !slices.Equal(s.texts(), before) {
						t.Errorf("without a decision, the error is %v, and the group has %q", err, s.texts())
					}
					if err := s.publish(t.Context(), test.decision); err != nil {
						t.Error(err)
					}
				}
				if got := slices.Sorted(slices.Values(s.texts())); !slices.Equal(got, test.want) {
					t.Errorf("the group has %q, want %q", got, test.want)
				}
				if err := s.publish(t.Context(), "-again 1"); err == nil {
					t.Error("a decision about a post that is done is accepted")
				}
			})
		})
	}
}

// meanwhile posts a foreign topic when the first post of the program arrives.
func (s *stage) meanwhile(t *testing.T, text string) {
	var posted atomic.Bool
	s.fake.Inject(oktest.Fault{Method: "mediatopic.post", Match: func(oktest.Call) bool {
		if text != "" && posted.CompareAndSwap(false, true) {
			s.foreign.Store(true)
			defer s.foreign.Store(false)
			_, err := okru.Call[string](t.Context(), s.service.client, "mediatopic.post", url.Values{
				"gid": {demoGroup}, "type": {"GROUP_THEME"}, "attachment": {attachment(text, nil)},
			})
			if err != nil {
				t.Error(err)
			}
		}
		return false
	}})
}

// A program that starts again days later finds what it has posted.
func TestPublishDaysLater(t *testing.T) {
	inBubble(t, fstest.MapFS{"1/text.txt": file("One"), "2/text.txt": file("Two")}, func(t *testing.T, s *stage) {
		s.lose(true)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // less than settle
		defer cancel()
		if err := s.publish(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error is %v", err)
		}
		time.Sleep(3 * recent)
		if err := s.publish(t.Context()); err != nil || !slices.Equal(s.texts(), []string{"One", "Two"}) {
			t.Errorf("the group has %q, %v", s.texts(), err)
		}
	})
}

// A list that does not show the program's own posts yet leaves no doubt.
func TestReadBackFromALateList(t *testing.T) {
	inBubble(t, fstest.MapFS{"1/text.txt": file("One"), "2/text.txt": file("Two")}, func(t *testing.T, s *stage) {
		var lists, posts atomic.Int64
		s.fake.Inject(oktest.Fault{ // the list before the second post
			Method: "group.getStatTopics", Match: func(oktest.Call) bool { return lists.Add(1) == 2 },
			Body: `{"topics":null}`, Header: http.Header{"Content-Type": {"application/json"}},
		})
		s.fake.Inject(oktest.Fault{Method: "mediatopic.post", Match: func(oktest.Call) bool { return posts.Add(1) == 2 }, Reset: true})
		if err := s.publish(t.Context()); err != nil || !slices.Equal(s.texts(), []string{"One", "Two"}) {
			t.Errorf("the group has %q, %v", s.texts(), err)
		}
	})
}

// A list that cannot be read proves nothing.
func TestReadBackNeedsAList(t *testing.T) {
	for name, fault := range map[string]oktest.Fault{
		"error":     {Code: okerrors.CodePermissionDenied},
		"truncated": {Truncate: true},
		"page":      {Body: oktest.HTMLPage},
		"no topics": {Body: `{"anchor":"1"}`, Header: http.Header{"Content-Type": {"application/json"}}},
		"empty":     {Status: 204},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, fstest.MapFS{"1/text.txt": file("One")}, func(t *testing.T, s *stage) {
				s.lose(true)
				var lists atomic.Int64
				fault.Method, fault.Match = "group.getStatTopics", func(oktest.Call) bool { return lists.Add(1) > 1 } // the first is before the post
				s.fake.Inject(fault)
				for range 2 {
					if err := s.publish(t.Context()); err == nil || len(s.texts()) != 1 {
						t.Errorf("the group has %q, %v", s.texts(), err)
					}
				}
				s.fake.ClearFaults()
				if err := s.publish(t.Context()); err != nil || len(s.texts()) != 1 {
					t.Errorf("with a list, the group has %q, %v", s.texts(), err)
				}
			})
		})
	}
}

// A post that OK rejects is not in the group, and may be tried again.
func TestPublishRejected(t *testing.T) {
	inBubble(t, fstest.MapFS{"1/text.txt": file("One")}, func(t *testing.T, s *stage) {
		s.fake.Inject(oktest.Fault{Method: "mediatopic.post", Code: okerrors.CodeParamGroupID, Times: 1})
		if err := s.publish(t.Context()); !errors.Is(err, okerrors.CodeParamGroupID) || !strings.Contains(err.Error(), "post 1: ") {
			t.Errorf("error is %v", err)
		}
		if err := s.publish(t.Context()); err != nil || len(s.texts()) != 1 {
			t.Errorf("the group has %q, %v", s.texts(), err)
		}
	})
}

// What is missing is named before anything is read or sent.
func TestSettings(t *testing.T) {
	names := []string{"OKRU_APPLICATION_KEY", "OKRU_APPLICATION_ID", "OKRU_APPLICATION_SECRET", "OKRU_REFRESH_TOKEN"}
	for name, test := range map[string]struct {
		options options
		set     string
		want    string
	}{
		"no flags":   {options{}, "key id secret token", "-posts and -group"},
		"no group":   {options{posts: "posts"}, "key id secret token", "-posts and -group"},
		"no id":      {options{posts: "posts", group: "1"}, "key secret token", "OKRU_APPLICATION_ID"},
		"no secret":  {options{posts: "posts", group: "1"}, "key id token", "OKRU_APPLICATION_SECRET"},
		"all, wrong": {options{posts: "no such folder", group: "1"}, "key id secret token", "reading the posts"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variable := range names {
				value := strings.ToLower(variable[strings.LastIndexByte(variable, '_')+1:])
				if !slices.Contains(strings.Fields(test.set), value) {
					value = ""
				}
				t.Setenv(variable, value)
			}
			test.options.state = t.TempDir()
			if err := run(t.Context(), test.options); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q", err, test.want)
			}
		})
	}
}

func TestReadPosts(t *testing.T) {
	for name, test := range map[string]struct {
		folder fstest.MapFS
		want   string
	}{
		"none":          {fstest.MapFS{}, "there are no posts"},
		"drafts only":   {fstest.MapFS{"_1/text.md": file("x"), ".2/text.md": file("x"), "text.md": file("x")}, "there are no posts"},
		"nothing in it": {fstest.MapFS{"1/notes.doc": file("x")}, "post 1: there is neither"},
		"blank":         {fstest.MapFS{"1/text.md": file(" \n")}, "post 1: there is neither"},
		"two texts":     {fstest.MapFS{"1/text.md": file("x"), "1/text.txt": file("y")}, "post 1: there are two texts"},
		"not UTF-8":     {fstest.MapFS{"1/text.md": file("\xff")}, "text.md is not in UTF-8"},
		"empty picture": {fstest.MapFS{"1/a.JPG": file("")}, "a.JPG is empty"},
	} {
		if _, err := readPosts(test.folder); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want %q", name, err, test.want)
		}
	}
	posts, err := readPosts(fstest.MapFS{"2/b.png": file("12"), "2/a.JPEG": file("1"), "1/text.md": file("x\n")})
	if err != nil || len(posts) != 2 || posts[0].text != "x" || len(posts[1].pictures) != 2 || posts[1].pictures[0] != (picture{"2/a.JPEG", "image/jpeg", 1}) {
		t.Errorf("posts are %+v, %v", posts, err)
	}
}

// A journal that was cut anywhere in its last line is as it was before that
// line.
func TestJournalIsCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	open := func() *journal {
		t.Helper()
		j, err := openJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	j := open()
	for _, e := range []entry{{Post: "1", State: intended, Known: []string{"5"}}, {Post: "1", State: done, Topic: "6"}} {
		if err := j.write(e); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := openJournal(path); err == nil || !strings.Contains(err.Error(), "another publisher") {
		t.Errorf("a second publisher: %v", err)
	}
	j.close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first := bytes.IndexByte(whole, '\n') + 1
	for n := 0; n < len(whole); n += 7 { // each takes a while, for the disk
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		want := intended
		if n < first {
			want = ""
		}
		j := open()
		if got := j.last["1"].State; got != want {
			t.Errorf("cut after %d bytes: %q, want %q", n, got, want)
		}
		if err := j.write(entry{Post: "2", State: done}); err != nil {
			t.Fatal(err)
		}
		j.close()
		j = open()
		if j.last["2"].State != done || j.last["1"].State != want {
			t.Errorf("cut after %d bytes, and written: %+v", n, j.last)
		}
		j.close()
	}
	if err := os.WriteFile(path, []byte("garbage\n"+string(whole)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openJournal(path); err == nil || !strings.Contains(err.Error(), "corrupt") {
		t.Errorf("a corrupt journal: %v", err)
	}
}

func TestBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		posts := []post{{name: "a"}, {name: "b", pictures: []picture{{size: 40}, {size: 58}}}}
		b := newBar(posts, &out)
		b.finish(posts[0])
		b.show(posts[1], 1, 9)
		b.show(posts[1], 1, 58) // too soon
		time.Sleep(time.Second)
		b.show(posts[1], 1, 58)
		b.clear()
		want := "\r\x1b[K[###############               ]  50 %  b, picture 2 of 2" +
			"\r\x1b[K[############################# ]  99 %  b, picture 2 of 2\r\x1b[K"
		if out.String() != want {
			t.Errorf("the bar is %q, want %q", out.String(), want)
		}
	})
}

func TestAttachment(t *testing.T) {
	for want, got := range map[string]string{
		`{"media":[{"type":"text","text":"x"}]}`:                                      attachment("x", nil),
		`{"media":[{"type":"photo","list":[{"id":"a"},{"id":"b"}]}]}`:                 attachment("", []string{"a", "b"}),
		`{"media":[{"type":"text","text":"x"},{"type":"photo","list":[{"id":"a"}]}]}`: attachment("x", []string{"a"}),
	} {
		if got != want || !json.Valid([]byte(got)) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
