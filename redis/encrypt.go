package okredis

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"slices"
)

// magic is the beginning of an encrypted value. No JSON begins with it.
const magic = "okru\x00aes256gcm\x00"

// A box encrypts and decrypts what is stored under one key of Redis. A program
// may have a Store for each of many users, so a box keeps only the secrets, and
// no ciphers.
type box struct {
	key     string   // in Redis; a value is bound to it
	encrypt []byte   // nil: values are not encrypted
	decrypt [][]byte // all secrets, encrypt first
	plain   bool     // values that are not encrypted are accepted
}

var (
	errDecrypt   = errors.New("the value does not decrypt with the keys of this Store, or it was encrypted for another key of Redis")
	errPlain     = errors.New("the value is not encrypted; a nil element of Decrypt accepts that")
	errEncrypted = errors.New("the value is encrypted; set Encrypt or Decrypt")
)

func newBox(key string, o StoreOptions) (*box, error) {
	b := &box{key: key, encrypt: slices.Clone(o.Encrypt), plain: o.Encrypt == nil}
	if o.Encrypt != nil {
		if len(o.Encrypt) != 32 {
			return nil, errLength("Encrypt", o.Encrypt)
		}
		b.decrypt = append(b.decrypt, b.encrypt)
	}
	for i, secret := range o.Decrypt {
		switch {
		case secret == nil:
			b.plain = true
		case len(secret) != 32:
			return nil, errLength(fmt.Sprintf("Decrypt[%d]", i), secret)
		default:
			b.decrypt = append(b.decrypt, slices.Clone(secret))
		}
	}
	return b, nil
}

func errLength(name string, secret []byte) error {
	return fmt.Errorf("okru: okredis: %s has %d bytes; an encryption key has 32", name, len(secret))
}

// aead returns AES-256-GCM, with a random nonce at the beginning of each value.
func aead(secret []byte) cipher.AEAD {
	block, err := aes.NewCipher(secret)
	if err != nil {
		panic(err) // of the length, which has been checked
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // of another block size
	}
	return gcm
}

// seal returns data as it is stored.
func (b *box) seal(data []byte) []byte {
	if b.encrypt == nil {
		return data
	}
	return aead(b.encrypt).Seal([]byte(magic), nil, data, []byte(b.key))
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
	for _, secret := range b.decrypt {
		if data, err := aead(secret).Open(nil, nil, sealed, []byte(b.key)); err == nil {
			return data, nil
		}
	}
	return nil, errDecrypt
}
