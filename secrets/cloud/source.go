package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"gocloud.dev/gcerrors"
	"gocloud.dev/runtimevar"
	_ "gocloud.dev/runtimevar/awssecretsmanager"
	_ "gocloud.dev/runtimevar/filevar"
	_ "gocloud.dev/runtimevar/gcpsecretmanager"

	"github.com/integrationhub/hub/secrets"
)

// place is what a URL has where the locator goes.
const place = "{}"

// Source is a [secrets.Source] over a secret manager. It is immutable and safe for
// concurrent use. It asks at each call; package secrets/cached keeps what it gives.
type Source struct{ before, after string }

var _ secrets.Source = (*Source)(nil)

// NewSource returns a source whose secrets are at template, a URL of gocloud.dev/runtimevar
// in which {} stands for the locator, once, before any "?". ErrInvalid for another.
func NewSource(template string) (*Source, error) {
	before, after, ok := strings.Cut(template, place)
	probe, err := url.Parse(before + "probe" + after)
	if !ok || err != nil || strings.Contains(after, place) || strings.ContainsAny(before, "?#") || strings.Contains(after, "#") {
		return nil, fmt.Errorf("cloud: %w: the template must be a URL with {} once, in its path", secrets.ErrInvalid)
	}
	if !runtimevar.DefaultURLMux().ValidVariableScheme(probe.Scheme) {
		return nil, fmt.Errorf("cloud: %w: there is no secret manager of scheme %q", secrets.ErrInvalid, probe.Scheme)
	}
	return &Source{before, after}, nil
}

// Fetch implements [secrets.Source]. With a field, as in "crm/eu#token", the secret is a JSON
// object and the value a text in it.
func (s *Source) Fetch(ctx context.Context, locator string) (secrets.Value, error) {
	if err := ctx.Err(); err != nil {
		return secrets.Value{}, err
	}
	if err := secrets.CheckLocator(locator); err != nil {
		return secrets.Value{}, err
	}
	path, field, ok := strings.Cut(locator, "#")
	value, err := s.read(ctx, path)
	if err != nil {
		return secrets.Value{}, err
	}
	if ok {
		if value, err = member(value, field); err != nil {
			return secrets.Value{}, err
		}
	}
	if value.IsZero() {
		return value, fmt.Errorf("cloud: %w: %s is empty", secrets.ErrNotFound, locator)
	}
	if err := secrets.CheckValue(value); err != nil {
		return secrets.Value{}, err
	}
	return value, nil
}

func (s *Source) read(ctx context.Context, path string) (_ secrets.Value, err error) {
	v, err := runtimevar.OpenVariable(ctx, s.before+path+s.after)
	if err != nil {
		return secrets.Value{}, fmt.Errorf("cloud: %w: the secret manager takes no such locator", secrets.ErrInvalid)
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	snapshot, err := v.Watch(ctx)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return secrets.Value{}, ctx.Err()
	case gcerrors.Code(err) == gcerrors.NotFound:
		return secrets.Value{}, fmt.Errorf("cloud: %w: %s", secrets.ErrNotFound, path)
	default:
		return secrets.Value{}, fmt.Errorf("cloud: the secret manager answers %s", gcerrors.Code(err))
	}
	switch value := snapshot.Value.(type) {
	case string:
		return secrets.New(value), nil
	case []byte:
		return secrets.FromBytes(value), nil
	}
	return secrets.Value{}, fmt.Errorf("cloud: %w: the decoder of the template must be string or bytes", secrets.ErrInvalid)
}

// member returns a text in a JSON object.
func member(object secrets.Value, field string) (secrets.Value, error) {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(object.Reveal()), &members) != nil {
		return secrets.Value{}, fmt.Errorf("cloud: %w: the secret is not a JSON object", secrets.ErrInvalid)
	}
	raw, ok := members[field]
	if !ok {
		return secrets.Value{}, fmt.Errorf("cloud: %w: the secret has no field %q", secrets.ErrNotFound, field)
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return secrets.Value{}, fmt.Errorf("cloud: %w: field %q is not a text", secrets.ErrInvalid, field)
	}
	return secrets.New(text), nil
}
