package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strconv"
	"time"

	"github.com/go-okru/okru"
	okerrors "github.com/go-okru/okru/errors"
	"github.com/go-okru/okru/transport"
)

// maxUploads is how often the pictures of a post are uploaded at most. Pictures
// that no post shows do no harm.
const maxUploads = 4

// upload uploads the pictures of m and returns their tokens.
func (p *publisher) upload(ctx context.Context, m post) (tokens []string, err error) {
	if len(m.pictures) == 0 {
		return nil, nil
	}
	for n := range maxUploads {
		tokens, err = p.uploadOnce(ctx, m)
		_, rejected := errors.AsType[*okerrors.Error](err)
		if err == nil || rejected && !errors.Is(err, okerrors.ErrTransient) || ctx.Err() != nil {
			break
		}
		p.say("%s: the upload failed: %v", m.name, err)
		if err := sleepUntil(ctx, time.Now().Add(100*time.Millisecond<<n)); err != nil {
			return nil, err
		}
	}
	return tokens, err
}

func (p *publisher) uploadOnce(ctx context.Context, m post) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, uploadTimeout)
	defer cancel()
	// An upload URL that is not used does no harm either.
	place, err := okru.Call[struct {
		URL string   `json:"upload_url"`
		IDs []string `json:"photo_ids"`
	}](transport.WithIdempotent(ctx, true), p.client, "photosV2.getUploadUrl", url.Values{
		"gid": {p.group}, "count": {strconv.Itoa(len(m.pictures))},
	})
	if err != nil {
		return nil, err
	}
	files, closeFiles, err := p.open(m)
	if err != nil {
		return nil, err
	}
	defer closeFiles()
	body, err := okru.Upload(ctx, p.client, place.URL, files...)
	if err != nil {
		return nil, err
	}
	return tokensOf(body, place.IDs)
}

// open opens the pictures of m, with the bar as their progress.
func (p *publisher) open(m post) (files []okru.File, closeFiles func(), err error) {
	var opened []fs.File
	closeFiles = func() {
		for _, f := range opened {
			_ = f.Close()
		}
	}
	for i, pic := range m.pictures {
		f, err := p.folder.Open(pic.path)
		if err != nil {
			closeFiles()
			return nil, nil, err
		}
		opened = append(opened, f)
		files = append(files, okru.File{
			Name: path.Base(pic.path), ContentType: pic.contentType, Content: f, Size: pic.size,
			Progress: func(sent int64) { p.bar.show(m, i, sent) },
		})
	}
	return files, closeFiles, nil
}

// tokensOf returns the tokens in the response to an upload, in the order of
// ids.
func tokensOf(body []byte, ids []string) ([]string, error) {
	var response struct {
		Photos map[string]struct{ Token string }
	}
	if err := json.Unmarshal(body, &response); err != nil {
		return nil, fmt.Errorf("the response to the upload: %w", err)
	}
	var tokens []string
	for _, id := range ids {
		token := response.Photos[id].Token
		if token == "" {
			return nil, errors.New("the response to the upload lacks a picture")
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}
