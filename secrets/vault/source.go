package vault

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/integrationhub/hub/secrets"
)

// Fetch implements [secrets.Source]: the locator "kv/crm/eu#token" is the field "token" of
// the entry "crm/eu", in its latest version, of the KV engine of version 2 that is mounted
// at "kv". Without a field it is the field "value". A field must be a text.
func (c *Client) Fetch(ctx context.Context, locator string) (secrets.Value, error) {
	if err := ctx.Err(); err != nil {
		return secrets.Value{}, err
	}
	if err := secrets.CheckLocator(locator); err != nil {
		return secrets.Value{}, err
	}
	path, field, ok := strings.Cut(locator, "#")
	if !ok {
		field = "value"
	}
	mount, entry, ok := strings.Cut(path, "/")
	if !ok {
		return secrets.Value{}, fmt.Errorf("vault: %w: a locator is a mount, a slash and the path of an entry", secrets.ErrInvalid)
	}
	raw, err := c.field(ctx, mount+"/data/"+entry, field)
	if err != nil {
		return secrets.Value{}, err
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return secrets.Value{}, fmt.Errorf("vault: %w: field %q of %s is not a text", secrets.ErrInvalid, field, path)
	}
	value := secrets.New(text)
	if value.IsZero() {
		return value, fmt.Errorf("vault: %w: field %q of %s is empty", secrets.ErrNotFound, field, path)
	}
	return value, secrets.CheckValue(value)
}

// field reads one field of an entry.
func (c *Client) field(ctx context.Context, path, field string) (json.RawMessage, error) {
	var answer struct {
		Data struct {
			Data map[string]json.RawMessage `json:"data"`
		} `json:"data"`
	}
	err := c.call(ctx, http.MethodGet, path, nil, &answer)
	if err != nil && !hasStatus(err, http.StatusNotFound) {
		return nil, err
	}
	raw, ok := answer.Data.Data[field]
	if !ok {
		return nil, fmt.Errorf("vault: %w: %s has no field %q", secrets.ErrNotFound, path, field)
	}
	return raw, nil
}
