package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// A seal is a key that distinguishes what this program has issued from what
// it has not.
type seal []byte

// close returns text, which is for name alone and good until then, with a MAC:
// "TEXT.UNIXTIME.MAC". Neither name nor text may have a dot.
func (s seal) close(name, text string, until time.Time) string {
	text += "." + strconv.FormatInt(until.Unix(), 10)
	return text + "." + s.mac(name, text)
}

// open returns the text of what close returned for name, unless it is too old.
func (s seal) open(name, sealed string, now time.Time) (text string, ok bool) {
	i := strings.LastIndexByte(sealed, '.')
	if i < 0 || !hmac.Equal([]byte(sealed[i+1:]), []byte(s.mac(name, sealed[:i]))) { // in constant time
		return "", false
	}
	text, until, _ := strings.Cut(sealed[:i], ".")
	seconds, err := strconv.ParseInt(until, 10, 64)
	return text, err == nil && now.Before(time.Unix(seconds, 0))
}

func (s seal) mac(name, text string) string {
	h := hmac.New(sha256.New, s)
	h.Write([]byte(name + "." + text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
