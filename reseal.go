package hub

import (
	"context"
	"errors"
	"slices"

	"github.com/integrationhub/hub/internal/token"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
)

// reseal seals a record of whatever kind under the key of the rotation.
func (r *rotation) reseal(ctx context.Context, rec storage.Record) error {
	if under(rec, r.report.Key) {
		return nil
	}
	t := &Tenant{core: r.core, name: rec.Tenant}
	switch rec.Kind {
	case kindConnector:
		return r.replace(ctx, rec, func(next *storage.Record) error { return t.resealConnector(ctx, next) })
	case kindWaiting:
		return r.replace(ctx, rec, func(next *storage.Record) error { return t.resealWaiting(ctx, next) })
	case token.Kind:
		return r.replace(ctx, rec, func(next *storage.Record) error { return kept(token.Rewrap(ctx, t.keeper, next)) })
	case sealed.CheckKind:
		return r.replace(ctx, rec, func(next *storage.Record) error { return t.resealCheck(ctx, next) })
	case sealed.Kind:
		return r.resealValue(ctx, t, rec)
	default:
		return nil
	}
}

// resealConnector seals the descriptors of a connector's record anew.
func (t *Tenant) resealConnector(ctx context.Context, stored *storage.Record) error {
	rec, err := decodeConnector(*stored)
	if err != nil {
		return err
	}
	for name, s := range rec.Secrets {
		for at := &s; at != nil; at = at.Next {
			if at.Box, err = sealed.Rewrap(ctx, t.keeper, at.Box, t.descriptorAAD(rec.Connector.ID, name)...); err != nil {
				return kept(err)
			}
		}
		rec.Secrets[name] = s
	}
	if len(rec.Secrets) == 0 {
		return nil
	}
	next, err := t.encodeConnector(rec)
	stored.Data, stored.Labels = next.Data, storage.NormalLabels(next.Labels)
	return err
}

func (t *Tenant) resealWaiting(ctx context.Context, rec *storage.Record) error {
	body, err := decodeRecord[waitingBody](*rec)
	if err != nil {
		return err
	}
	if body.Box, err = sealed.Rewrap(ctx, t.keeper, body.Box, t.waitingAAD(rec.ID)...); err != nil {
		return kept(err)
	}
	if rec.Data, err = encodeRecord(body); err != nil {
		return err
	}
	return relabel(rec, body.Box)
}

func (t *Tenant) resealCheck(ctx context.Context, rec *storage.Record) (err error) {
	if rec.Data, err = sealed.Rewrap(ctx, t.keeper, rec.Data, rec.Kind, rec.ID); err != nil {
		return kept(err)
	}
	return relabel(rec, rec.Data)
}

func relabel(rec *storage.Record, box []byte) error {
	keyID, err := sealed.KeyID(box)
	rec.Labels = sealed.Labelled(rec.Labels, keyID)
	return kept(err)
}

// resealValue seals a value anew. What it is bound to stands in its connector; a value that
// the connector has replaced goes.
func (r *rotation) resealValue(ctx context.Context, t *Tenant, rec storage.Record) error {
	ref, err := sealed.RefOf(rec)
	if err != nil {
		return kept(err)
	}
	con, err := t.connectorByID(ctx, ref.Connector)
	if errors.Is(err, NotFound) {
		return failure(NotFound, "its connector does not exist")
	}
	if err != nil {
		return err
	}
	owner, err := decodeConnector(con)
	if err != nil {
		return err
	}
	s := owner.generation(ref.Name, ref.Generation)
	if s == nil {
		return r.removeValue(ctx, t, owner, ref)
	}
	d, err := t.openDescriptor(ctx, ref.Connector, ref.Name, s)
	if err != nil {
		return err
	}
	done, err := sealed.New(t.store, t.keeper).Rewrap(ctx, t.secretRef(ref.Connector, ref.Name, d))
	if errors.Is(err, secrets.ErrNotFound) {
		return nil
	}
	if done {
		r.report.Resealed++
	}
	return kept(err)
}

func (r *rotation) removeValue(ctx context.Context, t *Tenant, owner *connectorRecord, ref secrets.Ref) error {
	if current, ok := owner.Secrets[ref.Name]; !ok || ref.Generation > current.Generation {
		return failure(NotFound, "its connector does not name it; setting or deleting the secret removes it")
	}
	err := sealed.New(t.store, t.keeper).Delete(ctx, ref)
	if err == nil {
		r.report.Removed++
	}
	return kept(err)
}

// generation returns the current or the next version of a secret, whichever has the
// generation; nil if none has.
func (rec *connectorRecord) generation(name string, generation int64) *secretRecord {
	s, ok := rec.Secrets[name]
	for at := &s; ok && at != nil; at = at.Next {
		if at.Generation == generation {
			return at
		}
	}
	return nil
}

// keyLabels names the keys that the descriptors of a connector are sealed under.
func (rec *connectorRecord) keyLabels() []storage.Label {
	var list []storage.Label
	for _, s := range rec.Secrets {
		for at := &s; at != nil; at = at.Next {
			keyID, err := sealed.KeyID(at.Box)
			label := storage.Label{Key: sealed.LabelKey, Value: keyID}
			if err == nil && !slices.Contains(list, label) {
				list = append(list, label)
			}
		}
	}
	return list
}
