package hub

import (
	"context"
	"errors"
	"slices"

	"github.com/integrationhub/hub/storage"
)

// wantRevision says which revision of a definition an edit may start from.
type wantRevision struct {
	any      bool
	named    int64
	deleting bool // of a connector whose deletion began, too
}

var anyRevision = wantRevision{any: true}

func revisionOf(named int64) wantRevision { return wantRevision{named: named} }

// edit changes the definition of a connector: f gets the stored one and changes it; the
// result is checked whole and written with the next revision.
func (t *Tenant) edit(ctx context.Context, idOrName string, want wantRevision, f func(*connectorRecord) error) (Connector, error) {
	return t.change(ctx, idOrName, want, func(ctx context.Context, rec *connectorRecord) error {
		if err := f(rec); err != nil {
			return err
		}
		if err := t.settle(ctx, rec); err != nil {
			return err
		}
		t.revise(rec)
		return nil
	})
}

// toggle is edit for what only switches something on or off. It is not held up by rules that
// were broken before, such as a host that RestrictTemplate took away: a connector in trouble
// can be paused.
func (t *Tenant) toggle(ctx context.Context, idOrName string, f func(*connectorRecord) error) (Connector, error) {
	return t.change(ctx, idOrName, anyRevision, func(ctx context.Context, rec *connectorRecord) error {
		bounds, err := t.bounds(ctx, &rec.Template)
		if err != nil {
			return err
		}
		before := t.compile(t.name, &rec.Connector, &rec.Template, bounds).broken()
		if err := f(rec); err != nil {
			return err
		}
		p := problems{list: t.compile(t.name, &rec.Connector, &rec.Template, bounds).broken()}
		p.list = slices.DeleteFunc(p.list, func(f FieldError) bool { return slices.Contains(before, f) })
		t.revise(rec)
		return p.err()
	})
}

// revise gives a changed definition its next revision.
func (t *Tenant) revise(rec *connectorRecord) {
	con, now := &rec.Connector, t.opts.now().UTC()
	con.Revision, con.UpdatedAt = nextRevision(con.Revision, now), now
}

// maxRaces bounds how often a change starts over because somebody else wrote in between.
const maxRaces = 20

// change reads a connector's record, lets f change it, and writes it. When the record moved
// in between, it starts over: if the caller named a revision of the definition, only as long
// as the definition still has it.
func (t *Tenant) change(ctx context.Context, idOrName string, want wantRevision, f func(context.Context, *connectorRecord) error) (Connector, error) {
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Connector{}, err
	}
	defer leave()
	for race := 1; ; race++ {
		rec, err := t.connector(ctx, idOrName)
		if err != nil {
			return Connector{}, err
		}
		if err := want.check(rec); err != nil {
			return Connector{}, err
		}
		was := rec.Connector.Name
		if err := f(ctx, rec); err != nil {
			return Connector{}, err
		}
		err = t.writeConnector(ctx, rec)
		if errors.Is(err, Conflict) && race < maxRaces {
			continue
		}
		t.plans.edited(err, t.name, was, rec.Connector.Name, rec.Connector.ID)
		t.answers.forget(gateKey{t.name, rec.Connector.ID})
		return saved(rec.Connector, err)
	}
}

func (w wantRevision) check(rec *connectorRecord) error {
	if rec.Deleting && !w.deleting {
		return failure(NotFound, "the connector is being deleted")
	}
	if w.any {
		return nil
	}
	return sameRevision(w.named, rec.Connector.Revision)
}

// writeConnector stores a changed record and notes its new revision.
func (t *Tenant) writeConnector(ctx context.Context, rec *connectorRecord) error {
	before := rec.revision
	stored, err := t.encodeConnector(rec)
	if err != nil {
		return err
	}
	rec.revision = stored.Revision
	return t.apply(ctx, storage.Update(stored, before))
}
