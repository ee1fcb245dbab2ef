package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// The states of a post. A post without an entry has not been tried.
const (
	intended = "intended" // it may be in the group
	done     = "done"     // it is in the group
	absent   = "absent"   // it is not in the group: it was rejected, or not found there
)

// An entry is a line of the journal, in JSON. The last line about a post counts.
type entry struct {
	Time  time.Time `json:"time"`
	Post  string    `json:"post"`
	State string    `json:"state"`

	// Of a post that is intended: the digest of its text, and the recent topics
	// that were in the group before.
	Text  string   `json:"text,omitempty"`
	Known []string `json:"known,omitempty"`

	// Topic is the id of a post that is done, or empty if only the user knows.
	Topic string `json:"topic,omitempty"`
}

// A journal is a file to which entries are added. Each is on the disk before
// the program goes on.
type journal struct {
	file *os.File
	lock *flock.Flock
	last map[string]entry // by post
}

// openJournal opens or makes the journal at path. It fails if another program
// has it open.
func openJournal(path string) (*journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	j := &journal{lock: flock.New(path + ".lock"), last: make(map[string]entry)}
	if ok, err := j.lock.TryLock(); err != nil {
		return nil, err
	} else if !ok {
		return nil, errors.New("another publisher uses the journal " + path)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		j.file = file
		err = errors.Join(j.load(), syncFolder(filepath.Dir(path)))
	}
	if err != nil {
		j.close()
		return nil, err
	}
	return j, nil
}

// load reads the entries. A last line without its end was never acted upon,
// since the program that wrote it was killed: it is cut off.
func (j *journal) load() error {
	text, err := io.ReadAll(j.file)
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	for line := range bytes.Lines(text[:whole]) {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("the journal %s is corrupt: %w", j.file.Name(), err)
		}
		j.last[e.Post] = e
	}
	if err := j.file.Truncate(int64(whole)); err != nil {
		return err
	}
	_, err = j.file.Seek(0, io.SeekEnd)
	return err
}

// write adds an entry and waits until it is on the disk.
func (j *journal) write(e entry) error {
	e.Time = time.Now()
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	j.last[e.Post] = e
	return nil
}

func (j *journal) close() {
	if j.file != nil {
		_ = j.file.Close()
	}
	_ = j.lock.Unlock()
}

// syncFolder puts the name of a new file on the disk. Not every system can.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	_ = folder.Sync()
	return folder.Close()
}
