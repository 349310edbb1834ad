package fakevault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// key is a key of a transit engine; its first version is versions[0].
type key struct {
	kind     string
	derived  bool
	versions [][]byte
	oldest   int
}

func (k *key) rotate() {
	version := make([]byte, 32)
	rand.Read(version)
	k.versions = append(k.versions, version)
}

func (s *Server) serveTransit(c call, operation, mount, name string) answer {
	name, action, _ := strings.Cut(name, "/")
	path := mount + "/" + name
	if operation == "keys" && action == "" && c.Method == http.MethodPost {
		return s.create(c, path)
	}
	k := s.keys[path]
	switch {
	case k == nil && operation == "keys":
		return failure(http.StatusNotFound)
	case k == nil:
		return failure(http.StatusBadRequest, "encryption key not found")
	case operation == "keys" && action == "rotate":
		k.rotate()
		return answer{http.StatusNoContent, nil}
	case operation == "keys" && action == "config":
		oldest, _ := c.body["min_decryption_version"].(float64)
		k.oldest = int(oldest)
		return answer{http.StatusNoContent, nil}
	case operation == "keys":
		return data(map[string]any{"type": k.kind, "derived": k.derived, "latest_version": len(k.versions), "min_decryption_version": k.oldest})
	case operation == "encrypt":
		return s.encrypt(c, k)
	case operation == "decrypt":
		return s.decrypt(c, k)
	}
	return failure(http.StatusNotFound, "no handler for route")
}

func (s *Server) create(c call, path string) answer {
	if s.keys[path] == nil {
		k := &key{kind: c.text("type"), oldest: 1}
		if k.kind == "" {
			k.kind = "aes256-gcm96"
		}
		k.derived, _ = c.body["derived"].(bool)
		k.rotate()
		s.keys[path] = k
	}
	return answer{http.StatusNoContent, nil}
}

func (s *Server) encrypt(c call, k *key) answer {
	plaintext, err := base64.StdEncoding.DecodeString(c.text("plaintext"))
	aad, aadErr := base64.StdEncoding.DecodeString(c.text("associated_data"))
	version := len(k.versions)
	if v, ok := c.body["key_version"].(float64); ok && v > 0 {
		version = int(v)
	}
	if err != nil || aadErr != nil || version > len(k.versions) {
		return failure(http.StatusBadRequest, "invalid request")
	}
	gcm := k.gcm(version)
	nonce := make([]byte, gcm.NonceSize())
	rand.Read(nonce)
	sealed := gcm.Seal(nonce, nonce, plaintext, s.bound(aad))
	return data(map[string]any{"ciphertext": fmt.Sprintf("vault:v%d:%s", version, base64.StdEncoding.EncodeToString(sealed))})
}

func (s *Server) decrypt(c call, k *key) answer {
	rest, ok := strings.CutPrefix(c.text("ciphertext"), "vault:v")
	number, code, _ := strings.Cut(rest, ":")
	version, err := strconv.Atoi(number)
	if !ok || err != nil || version < k.oldest || version > len(k.versions) {
		return failure(http.StatusBadRequest, "ciphertext or signature version is disallowed by policy (too old)")
	}
	sealed, err := base64.StdEncoding.DecodeString(code)
	aad, aadErr := base64.StdEncoding.DecodeString(c.text("associated_data"))
	gcm := k.gcm(version)
	if err != nil || aadErr != nil || len(sealed) < gcm.NonceSize() {
		return failure(http.StatusBadRequest, "invalid ciphertext")
	}
	plaintext, err := gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], s.bound(aad))
	if err != nil {
		return failure(http.StatusBadRequest, "cipher: message authentication failed")
	}
	return data(map[string]any{"plaintext": base64.StdEncoding.EncodeToString(plaintext)})
}

func (s *Server) bound(aad []byte) []byte {
	if s.ForgetsAAD {
		return nil
	}
	return aad
}

func (k *key) gcm(version int) cipher.AEAD {
	block, err := aes.NewCipher(k.versions[version-1])
	if err != nil {
		panic(err) // a key of 32 bytes: cannot happen
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return gcm
}
