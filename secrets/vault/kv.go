package vault

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/integrationhub/hub/secrets"
)

// KV is a [secrets.Vault] over a KV engine of version 2. Each generation of a secret is an
// entry of its own, "PREFIX/TENANT/CONNECTOR/NAME.GENERATION", with the field "value" or, if
// it is not UTF-8, "base64", and the field "binding", which Get compares. In the names a to
// z, A to Z, 0 to 9, "_" and "-" stand for themselves, every other byte is "=" and two
// hexadecimal digits, and the tenant without a name is "=".
type KV struct {
	client *Client
	mount  string
	prefix string
}

var _ secrets.Vault = (*KV)(nil)

// KV returns the vault under prefix in the engine that is mounted at mount: "kv" and "hub".
// ErrInvalid unless both are paths as secrets.CheckLocator describes them.
func (c *Client) KV(mount, prefix string) (*KV, error) {
	for _, path := range []string{mount, prefix} {
		if secrets.CheckLocator(path) != nil || strings.Contains(path, "#") {
			return nil, fmt.Errorf("vault: %w: mount and prefix of a KV engine must be paths", secrets.ErrInvalid)
		}
	}
	return &KV{c, mount, prefix}, nil
}

// entryData is what an entry holds.
type entryData struct {
	Value   string `json:"value,omitempty"`
	Base64  string `json:"base64,omitempty"`
	Binding string `json:"binding"`
}

// Get implements [secrets.Vault]. ErrSealBroken means that ref carries another binding than
// the one of Put.
func (k *KV) Get(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	if err := check(ctx, ref); err != nil {
		return secrets.Value{}, err
	}
	var answer struct {
		Data struct {
			Data *entryData `json:"data"`
		} `json:"data"`
	}
	err := k.client.call(ctx, http.MethodGet, k.path("data", ref), nil, &answer)
	entry := answer.Data.Data
	if hasStatus(err, http.StatusNotFound) || err == nil && entry == nil {
		return secrets.Value{}, fmt.Errorf("%s: %w", ref, secrets.ErrNotFound)
	}
	if err != nil {
		return secrets.Value{}, err
	}
	if entry.Binding != ref.Binding {
		return secrets.Value{}, fmt.Errorf("%s: %w: it was put under another binding", ref, secrets.ErrSealBroken)
	}
	value, err := entry.secret()
	if err != nil {
		return secrets.Value{}, fmt.Errorf("%s: %w", ref, err)
	}
	return value, nil
}

func (e *entryData) secret() (secrets.Value, error) {
	value := secrets.New(e.Value)
	if e.Base64 != "" {
		data, err := base64.StdEncoding.DecodeString(e.Base64)
		if err != nil || e.Value != "" {
			return secrets.Value{}, fmt.Errorf("%w: the entry is not as it was written", secrets.ErrSealBroken)
		}
		value = secrets.FromBytes(data)
	}
	if err := secrets.CheckValue(value); err != nil {
		return secrets.Value{}, err
	}
	return value, nil
}

// Put implements [secrets.Vault].
func (k *KV) Put(ctx context.Context, ref secrets.Ref, value secrets.Value) error {
	if err := check(ctx, ref); err != nil {
		return err
	}
	if err := secrets.CheckValue(value); err != nil {
		return fmt.Errorf("%s: %w", ref, err)
	}
	entry := entryData{Binding: ref.Binding}
	if text := value.Reveal(); utf8.ValidString(text) {
		entry.Value = text
	} else {
		entry.Base64 = base64.StdEncoding.EncodeToString([]byte(text))
	}
	return k.client.call(ctx, http.MethodPost, k.path("data", ref), map[string]any{"data": entry}, nil)
}

// Delete implements [secrets.Vault]. It removes the entry with all that the engine knows of
// it, so that nothing can be undeleted.
func (k *KV) Delete(ctx context.Context, ref secrets.Ref) error {
	if err := check(ctx, ref); err != nil {
		return err
	}
	err := k.client.call(ctx, http.MethodDelete, k.path("metadata", ref), nil, nil)
	if hasStatus(err, http.StatusNotFound) {
		return nil
	}
	return err
}

// List implements [secrets.Vault]. Entries that no Put has written are left out.
func (k *KV) List(ctx context.Context, tenant, connector string) ([]secrets.Ref, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := secrets.CheckScope(tenant, connector); err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Keys []string `json:"keys"`
		} `json:"data"`
	}
	err := k.client.call(ctx, http.MethodGet, k.folder("metadata", tenant, connector)+"/?list=true", nil, &answer)
	if err != nil && !hasStatus(err, http.StatusNotFound) {
		return nil, err
	}
	var refs []secrets.Ref
	for _, key := range answer.Data.Keys {
		if ref, ok := refOf(tenant, connector, key); ok {
			refs = append(refs, ref)
		}
	}
	slices.SortFunc(refs, func(a, b secrets.Ref) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Generation, b.Generation))
	})
	return refs, nil
}

func refOf(tenant, connector, key string) (secrets.Ref, bool) {
	code, number, _ := strings.Cut(key, ".")
	name, ok := decode(code)
	generation, err := strconv.ParseInt(number, 10, 64)
	ref := secrets.Ref{Tenant: tenant, Connector: connector, Name: name, Generation: generation}
	return ref, ok && err == nil && ref.Check() == nil && key == keyOf(ref)
}

func keyOf(ref secrets.Ref) string {
	return encode(ref.Name) + "." + strconv.FormatInt(ref.Generation, 10)
}

func (k *KV) path(part string, ref secrets.Ref) string {
	return k.folder(part, ref.Tenant, ref.Connector) + "/" + keyOf(ref)
}

func (k *KV) folder(part, tenant, connector string) string {
	return k.mount + "/" + part + "/" + k.prefix + "/" + encode(tenant) + "/" + encode(connector)
}

// encode writes a name as a segment of a path; decode finds it again.
func encode(name string) string {
	if name == "" {
		return "="
	}
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; isPlain(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('=')
			b.WriteString(hex.EncodeToString([]byte{c}))
		}
	}
	return b.String()
}

func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

func decode(code string) (string, bool) {
	first, rest, _ := strings.Cut(code, "=")
	b := []byte(first)
	for part := range strings.SplitSeq(rest, "=") {
		if part == "" {
			continue
		}
		if len(part) < 2 {
			return "", false
		}
		c, err := hex.DecodeString(part[:2])
		if err != nil {
			return "", false
		}
		b = append(append(b, c...), part[2:]...)
	}
	return string(b), true
}

func check(ctx context.Context, ref secrets.Ref) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return ref.Check()
}
