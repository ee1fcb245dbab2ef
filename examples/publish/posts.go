package main

import (
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// A post is a folder.
type post struct {
	name     string
	text     string
	pictures []picture
}

type picture struct {
	path        string
	contentType string
	size        int64
}

var (
	textNames    = []string{"text.md", "text.txt"}
	pictureTypes = []string{".gif", ".jpeg", ".jpg", ".png", ".webp"}
)

// readPosts returns the posts of a folder, in the order of their names.
func readPosts(folder fs.FS) ([]post, error) {
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, fmt.Errorf("reading the posts: %w", err)
	}
	var posts []post
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") || strings.HasPrefix(e.Name(), "_") {
			continue
		}
		p, err := readPost(folder, e.Name())
		if err != nil {
			return nil, fmt.Errorf("post %s: %w", e.Name(), err)
		}
		posts = append(posts, p)
	}
	if len(posts) == 0 {
		return nil, errors.New("there are no posts: make a folder with a file text.md for each")
	}
	return posts, nil
}

func readPost(folder fs.FS, name string) (post, error) {
	p := post{name: name}
	files, err := fs.ReadDir(folder, name)
	if err != nil {
		return p, err
	}
	for _, f := range files {
		kind := strings.ToLower(path.Ext(f.Name()))
		switch {
		case slices.Contains(textNames, f.Name()):
			err = p.readText(folder, f)
		case slices.Contains(pictureTypes, kind):
			err = p.addPicture(f, mime.TypeByExtension(kind))
		}
		if err != nil {
			return p, err
		}
	}
	if p.text == "" && len(p.pictures) == 0 {
		return p, errors.New("there is neither a text nor a picture")
	}
	return p, nil
}

func (p *post) readText(folder fs.FS, f fs.DirEntry) error {
	text, err := fs.ReadFile(folder, path.Join(p.name, f.Name()))
	switch {
	case err != nil:
		return err
	case p.text != "":
		return errors.New("there are two texts; keep one of text.md and text.txt")
	case !utf8.Valid(text):
		return fmt.Errorf("%s is not in UTF-8", f.Name())
	}
	p.text = strings.TrimSpace(string(text))
	return nil
}

func (p *post) addPicture(f fs.DirEntry, contentType string) error {
	info, err := f.Info()
	switch {
	case err != nil:
		return err
	case info.Size() == 0:
		return fmt.Errorf("%s is empty", f.Name())
	}
	p.pictures = append(p.pictures, picture{path.Join(p.name, f.Name()), contentType, info.Size()})
	return nil
}
