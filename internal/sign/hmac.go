package sign

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
)

// hashes are the algorithms of HMAC by name. SHA-1 is there for APIs that know no other: as a
// MAC it is not broken (RFC 6194 section 3.3).
var hashes = map[string]func() hash.Hash{
	"sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// encodings are the ways to write bytes as text.
var encodings = map[string]func([]byte) string{
	"hex":       hex.EncodeToString,
	"base64":    base64.StdEncoding.EncodeToString,
	"base64url": base64.RawURLEncoding.EncodeToString,
}

// IsAlgorithm reports whether a word names a hash.
func IsAlgorithm(name string) bool { return hashes[name] != nil }

// IsEncoding reports whether a word names an encoding of bytes.
func IsEncoding(name string) bool { return encodings[name] != nil }

// HMAC returns the message authentication code (RFC 2104) of text under key, encoded.
func HMAC(algorithm, encoding string, key []byte, text string) (string, error) {
	newHash, encode := hashes[algorithm], encodings[encoding]
	if newHash == nil || encode == nil {
		return "", errors.New("unknown algorithm or encoding")
	}
	h := hmac.New(newHash, key)
	h.Write([]byte(text))
	return encode(h.Sum(nil)), nil
}

// Key decodes the text of a key: as it is with the encoding "text", or hex, base64 or
// base64url. The error shows nothing of it.
func Key(text, encoding string) ([]byte, error) {
	var key []byte
	var err error
	switch encoding {
	case "text":
		key = []byte(text)
	case "hex":
		key, err = hex.DecodeString(text)
	case "base64":
		key, err = base64.StdEncoding.DecodeString(text)
	case "base64url":
		key, err = base64.RawURLEncoding.DecodeString(text)
	default:
		err = errors.New("")
	}
	if err != nil || len(key) == 0 {
		return nil, errors.New("the key is not of the encoding that is declared")
	}
	return key, nil
}
