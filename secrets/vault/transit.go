package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/integrationhub/hub/secrets"
)

// keyLife is how long Seal and Open use what is known of a key. KeyID uses nothing known: a
// rotation that began with the version before would report that all is done.
const keyLife = time.Minute

// Transit is a [secrets.Keeper] over a key of the transit engine. The id of a key is its
// name, a colon and its version: "hub:v3". KeyID asks the engine each time, so from the end of
// "vault write -f transit/keys/hub/rotate" on the next one is named, and the older ones open
// until min_decryption_version shuts them out: not before a RotateKeys of the hub that began
// after the rotation has ended without Failed and Next.
//
// Plaintexts are bound to the SHA-256 of aad twice: as the engine's associated data and, for
// servers that know none (Vault before 1.9), inside of what is encrypted.
type Transit struct {
	client *Client
	mount  string
	name   string

	mu    sync.Mutex
	known keyInfo
	asked time.Time // when known was asked for
}

var _ secrets.Keeper = (*Transit)(nil)

// keyInfo is what the engine tells of a key.
type keyInfo struct {
	Type    string `json:"type"`
	Derived bool   `json:"derived"`
	Latest  int    `json:"latest_version"`
	Oldest  int    `json:"min_decryption_version"`
}

// aeads are the types of keys that take associated data.
var aeads = map[string]bool{"aes128-gcm96": true, "aes256-gcm96": true, "chacha20-poly1305": true}

// Transit returns the keeper over a key of the engine that is mounted at mount: "transit"
// and "hub". The key must exist and be of type aes256-gcm96 (the default), aes128-gcm96 or
// chacha20-poly1305, not derived. ErrInvalid unless both are paths as secrets.CheckLocator
// describes them, the key of one segment.
func (c *Client) Transit(mount, key string) (*Transit, error) {
	if secrets.CheckLocator(mount) != nil || secrets.CheckLocator(key) != nil || strings.ContainsAny(mount+key, "#:") ||
		strings.Contains(key, "/") || secrets.CheckKeyID(key+":v1000000000") != nil {
		return nil, fmt.Errorf("vault: %w: mount and key of a transit engine must be a path and a name", secrets.ErrInvalid)
	}
	return &Transit{client: c, mount: mount, name: key}, nil
}

// KeyID implements [secrets.Keeper].
func (k *Transit) KeyID(ctx context.Context) (string, error) {
	info, err := k.ask(ctx)
	if err != nil {
		return "", err
	}
	return k.id(info.Latest), nil
}

func (k *Transit) id(version int) string { return k.name + ":v" + strconv.Itoa(version) }

// Seal implements [secrets.Keeper]. A plaintext above MaxPlaintext is ErrInvalid.
func (k *Transit) Seal(ctx context.Context, keyID string, plaintext, aad []byte) ([]byte, error) {
	version, err := k.version(ctx, keyID)
	if err != nil {
		return nil, err
	}
	if len(plaintext) > secrets.MaxPlaintext {
		return nil, fmt.Errorf("vault: %w: %d bytes are more than %d", secrets.ErrInvalid, len(plaintext), secrets.MaxPlaintext)
	}
	bound := sha256.Sum256(aad)
	message := append(bound[:len(bound):len(bound)], plaintext...)
	defer clear(message)
	var answer struct {
		Data struct {
			Ciphertext string `json:"ciphertext"`
		} `json:"data"`
	}
	err = k.client.call(ctx, http.MethodPost, k.mount+"/encrypt/"+k.name, map[string]any{
		"plaintext": message, "associated_data": bound[:], "key_version": version,
	}, &answer)
	if err != nil {
		return nil, err
	}
	code, ok := strings.CutPrefix(answer.Data.Ciphertext, ciphertextPrefix(version))
	sealed, err := base64.StdEncoding.DecodeString(code)
	if !ok || err != nil || len(sealed) == 0 {
		return nil, fmt.Errorf("vault: %s: the ciphertext is not what the API says", k.name)
	}
	return sealed, nil
}

// Open implements [secrets.Keeper].
func (k *Transit) Open(ctx context.Context, keyID string, sealed, aad []byte) ([]byte, error) {
	version, err := k.version(ctx, keyID)
	if err != nil {
		return nil, err
	}
	if len(sealed) == 0 {
		return nil, k.broken()
	}
	bound := sha256.Sum256(aad)
	var answer struct {
		Data struct {
			Plaintext []byte `json:"plaintext"`
		} `json:"data"`
	}
	err = k.client.call(ctx, http.MethodPost, k.mount+"/decrypt/"+k.name, map[string]any{
		"ciphertext": ciphertextPrefix(version) + base64.StdEncoding.EncodeToString(sealed), "associated_data": bound[:],
	}, &answer)
	if hasStatus(err, http.StatusBadRequest) { // key and version are known, so it is the ciphertext
		return nil, k.broken()
	}
	if err != nil {
		return nil, err
	}
	message := answer.Data.Plaintext
	defer clear(message)
	if len(message) < len(bound) || subtle.ConstantTimeCompare(message[:len(bound)], bound[:]) == 0 {
		return nil, k.broken()
	}
	return bytes.Clone(message[len(bound):]), nil
}

func (k *Transit) broken() error {
	return fmt.Errorf("vault: %w: it was not sealed with key %q for this", secrets.ErrSealBroken, k.name)
}

func ciphertextPrefix(version int) string { return "vault:v" + strconv.Itoa(version) + ":" }

// version returns the version that a key id names, if the engine has it and opens it.
func (k *Transit) version(ctx context.Context, keyID string) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	number, ok := strings.CutPrefix(keyID, k.name+":v")
	version, err := strconv.Atoi(number)
	if !ok || err != nil || version < 1 || k.id(version) != keyID {
		return 0, fmt.Errorf("vault: %w: %q", secrets.ErrKeyNotFound, keyID)
	}
	info, err := k.info(ctx, version)
	if err != nil {
		return 0, err
	}
	if version > info.Latest || version < info.Oldest {
		return 0, fmt.Errorf("vault: %w: %q", secrets.ErrKeyNotFound, keyID)
	}
	return version, nil
}

// info returns what is known of the key, asked anew after a time, and if a version is wanted
// that was not there.
func (k *Transit) info(ctx context.Context, version int) (keyInfo, error) {
	if err := ctx.Err(); err != nil {
		return keyInfo{}, err
	}
	k.mu.Lock()
	known, fresh := k.known, time.Since(k.asked) < keyLife
	k.mu.Unlock()
	if fresh && version <= known.Latest {
		return known, nil
	}
	return k.ask(ctx)
}

// ask asks the engine for what it tells of the key.
func (k *Transit) ask(ctx context.Context) (keyInfo, error) {
	if err := ctx.Err(); err != nil {
		return keyInfo{}, err
	}
	now := time.Now()
	var answer struct {
		Data keyInfo `json:"data"`
	}
	err := k.client.call(ctx, http.MethodGet, k.mount+"/keys/"+k.name, nil, &answer)
	if hasStatus(err, http.StatusNotFound) {
		return keyInfo{}, fmt.Errorf("vault: %w: the engine has no key %q", secrets.ErrKeyNotFound, k.name)
	}
	if err != nil {
		return keyInfo{}, err
	}
	info := answer.Data
	if !aeads[info.Type] || info.Derived || info.Latest < 1 {
		return keyInfo{}, fmt.Errorf("vault: %w: key %q must be of type aes256-gcm96, aes128-gcm96 or chacha20-poly1305, and not derived", secrets.ErrInvalid, k.name)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.known, k.asked = info, now
	return info, nil
}
