package okredis

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"slices"
)

// magic is the beginning of an encrypted value, which no JSON begins with.
const magic = "okru\x00aes256gcm\x00"

// A box encrypts and decrypts what is stored under one key of Redis.
type box struct {
	key     []byte        // in Redis: the additional data
	encrypt cipher.AEAD   // nil: values are not encrypted
	decrypt []cipher.AEAD // encrypt comes first
	plain   bool          // values that are not encrypted are accepted
}

var (
	errKeyLength = errors.New("an encryption key must have 32 bytes")
	errDecrypt   = errors.New("the value does not decrypt with any of the keys given, or it was stored under another key of Redis")
	errPlain     = errors.New("the value is not encrypted; a nil element of Decrypt accepts that")
	errEncrypted = errors.New("the value is encrypted; set Encrypt or Decrypt")
)

func newBox(key string, encrypt []byte, decrypt [][]byte) (*box, error) {
	b := &box{key: []byte(key), plain: encrypt == nil}
	if encrypt != nil {
		aead, err := newAEAD("Encrypt", encrypt)
		if err != nil {
			return nil, err
		}
		b.encrypt, b.decrypt = aead, append(b.decrypt, aead)
	}
	for i, secret := range decrypt {
		if secret == nil {
			b.plain = true
			continue
		}
		aead, err := newAEAD(fmt.Sprintf("Decrypt[%d]", i), secret)
		if err != nil {
			return nil, err
		}
		b.decrypt = append(b.decrypt, aead)
	}
	return b, nil
}

// newAEAD returns AES-256-GCM with a random nonce in front of each value.
func newAEAD(name string, secret []byte) (cipher.AEAD, error) {
	if len(secret) != 32 {
		return nil, fmt.Errorf("okru: okredis: %s has %d bytes: %w", name, len(secret), errKeyLength)
	}
	block, err := aes.NewCipher(slices.Clone(secret))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal returns data as it is stored.
func (b *box) seal(data []byte) []byte {
	if b.encrypt == nil {
		return data
	}
	return b.encrypt.Seal([]byte(magic), nil, data, b.key)
}

// open returns what was sealed.
func (b *box) open(value []byte) ([]byte, error) {
	sealed, ok := bytes.CutPrefix(value, []byte(magic))
	switch {
	case !ok && b.plain:
		return value, nil
	case !ok:
		return nil, errPlain
	case len(b.decrypt) == 0:
		return nil, errEncrypted
	}
	for _, aead := range b.decrypt {
		if data, err := aead.Open(nil, nil, sealed, b.key); err == nil {
			return data, nil
		}
	}
	return nil, errDecrypt
}
