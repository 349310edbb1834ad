package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/payload"
	"github.com/integrationhub/hub/storage"
)

// The kinds of records.
const (
	kindTemplate  = "template"         // a template in the library: its latest version
	kindVersion   = "template-version" // one version, never changed
	kindIcon      = "template-icon"    // the picture of one version
	kindHosts     = "template-hosts"   // the hosts that RestrictTemplate left
	kindConnector = "connector"        // a connector with its requests and sealed descriptors
)

// The keys of labels.
const (
	labelTemplate = "template"
	labelTag      = "tag"
)

// recordFormat is written into every record. A record of a higher format was written by a
// newer release: it is refused, since writing it back would lose what this one cannot read.
const recordFormat = 1

type envelope[T any] struct {
	Format int `json:"format"`
	Body   T   `json:"body"`
}

// encodeRecord returns the data of a record.
func encodeRecord[T any](body T) ([]byte, error) {
	data, err := json.Marshal(envelope[T]{recordFormat, body})
	if err != nil {
		return nil, caused(Invalid, "the definition cannot be encoded", err)
	}
	if len(data) > storage.MaxData {
		return nil, invalid("definition", "too-large", fmt.Sprintf("takes %d bytes; at most %d fit into a record", len(data), storage.MaxData))
	}
	if payload.CheckDepth(data, definitionLimits.Depth) != nil { // it could not be decoded again
		return nil, invalid("definition", "too-deep", fmt.Sprintf("is nested deeper than %d levels", definitionLimits.Depth))
	}
	return data, nil
}

// decodeRecord reads the data of a record.
func decodeRecord[T any](rec storage.Record) (T, error) {
	var e envelope[T]
	if format := gjson.GetBytes(rec.Data, "format").Int(); format > recordFormat {
		return e.Body, failure(Unavailable, fmt.Sprintf("%s was written by a newer release (format %d, this one reads %d)", rec.Key, format, recordFormat))
	}
	if err := decodeKnown(rec.Data, &e); err != nil {
		return e.Body, caused(Unavailable, "the store holds a damaged record: "+rec.Key.String(), err)
	}
	return e.Body, nil
}

// nextRevision is greater than the one before, and greater than any that an earlier record
// of the same key had: a record made again after its deletion is never mistaken for the
// old one.
func nextRevision(before int64, now time.Time) int64 { return max(before+1, now.UnixMicro()) }

// nextGeneration is greater than the one before. Its low bits are random, so that two who set
// a secret at one moment do not write over each other's value before one of them wins.
func nextGeneration(before int64, now time.Time) int64 {
	const random = 10
	return max(before+1, now.UnixMicro()<<random|rand.Int64N(1<<random))
}

// fold is what lists are ordered and searched by: the name without regard to case.
func fold(name string) string { return strings.ToLower(name) }

// apply writes changes and translates what the store says.
func (c *core) apply(ctx context.Context, changes ...storage.Change) error {
	return stored(c.store.Apply(ctx, changes...))
}

// saved returns what was written, and nothing of what could not be.
func saved[T any](v T, err error) (T, error) {
	if err != nil {
		v = *new(T)
	}
	return v, err
}

// get reads one record. what names it in the error: `connector "x"`.
func (c *core) get(ctx context.Context, key storage.Key, what string) (storage.Record, error) {
	if storage.CheckKey(key) != nil { // no record has such a key
		return storage.Record{}, failure(NotFound, "there is no "+what)
	}
	rec, err := c.store.Get(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return rec, failure(NotFound, "there is no "+what)
	}
	return rec, stored(err)
}

// findRecord reads the one record of a name. Nothing is called "", which a query would take
// for any name.
func (c *core) findRecord(ctx context.Context, tenant, kind, name, what string) (storage.Record, error) {
	var p problems
	if p.name("name", name); p.err() != nil {
		return storage.Record{}, failure(NotFound, "there is no "+what)
	}
	page, err := c.store.List(ctx, storage.Query{Tenant: tenant, Kind: kind, Name: name, Limit: 1})
	if err != nil {
		return storage.Record{}, stored(err)
	}
	if len(page.Records) == 0 {
		return storage.Record{}, failure(NotFound, "there is no "+what)
	}
	return page.Records[0], nil
}

// stored translates an error of the store.
func stored(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return asError(err)
	case errors.Is(err, storage.ErrNotFound):
		return caused(NotFound, "it has been deleted meanwhile", err)
	case errors.Is(err, storage.ErrConflict):
		return caused(Conflict, "it has been changed meanwhile: read it again, and apply the change to what you find", err)
	case errors.Is(err, storage.ErrExists):
		return caused(Exists, "the id or the name is taken", err)
	case errors.Is(err, storage.ErrInvalid):
		return caused(Invalid, "the store refuses the record", err)
	default:
		e := caused(Unavailable, "the store did not do it: "+quote(err.Error()), err)
		e.Retryable = true
		return e
	}
}
