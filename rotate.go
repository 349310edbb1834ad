package hub

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
)

// RotateOptions are what [Hub.RotateKeys] can be told. Nil and the zero value of each field
// mean the default written on it.
type RotateOptions struct {
	// PerSecond is the most records sealed anew in a second: 1,000. Negative: as many as
	// the store takes.
	PerSecond int
	// After is the Next of a report, to go on where it ended. Empty: from the beginning;
	// records that are done are only read then.
	After string
	// Progress is called after each page of records, in the caller's goroutine, with the
	// report so far. Nil: nobody is told.
	Progress func(RotateReport)
}

// RotateReport says how far [Hub.RotateKeys] came. Counts are of this call.
type RotateReport struct {
	Key      string // the id of the key that records are sealed under from now on
	Records  int    // looked at
	Resealed int    // sealed anew
	Removed  int    // values that their connector had replaced long ago
	// Failed counts the records that are sealed under another key still, and Left says of
	// the first hundred which and why.
	Failed int
	Left   []RotateLeft
	// Next is where to go on, empty if the walk came to its end.
	Next string
}

// RotateLeft is a record that is sealed under another key still.
type RotateLeft struct {
	Tenant, Kind, ID string
	Reason           string
}

// rotatePerSecond is RotateOptions.PerSecond if it is zero.
const rotatePerSecond = 1000

const (
	rotatePage = 100 // records of a page
	maxLeft    = 100 // of RotateReport.Left
)

// RotateKeys seals all that the hub keeps in its store under the key that the keeper names
// now: values and references, the descriptors in connectors, tokens, what waits for a
// person, and the record by which the hub knows its keeper. It belongs after the promotion of a new key
// and before the old one is disabled; calls and edits go on meanwhile, in this process
// and in others. Records are changed one by one, each if nobody changed it in between, so
// no writer waits and none is overwritten. It can be stopped at any moment and be called
// again; an error comes with the report so far, whose Next tells where to go on.
//
// Two conditions end it: ctx, and a store or keeper that does not answer. A record that
// cannot be opened is counted in Failed and left as it is. After a report without
// Failed and Next nothing that was stored when RotateKeys began is under another key; a
// process that did not know of the promotion may have sealed since, so the old key is
// looked for once more before it is destroyed (keyset.File.Destroy does). A vault of the
// host's ([Options.Vault]) is the host's to rotate.
func (h *Hub) RotateKeys(ctx context.Context, opts *RotateOptions) (report RotateReport, err error) {
	defer finish(&err, "RotateKeys", "", "")
	ctx, leave, err := h.enter(ctx)
	if err != nil {
		return report, err
	}
	defer leave()
	if opts == nil {
		opts = &RotateOptions{}
	}
	r := &rotation{core: h.core, pause: opts.pause()}
	r.report.Next = opts.After
	if r.report.Key, err = h.keeper.KeyID(ctx); err != nil {
		return r.report, kept(err)
	}
	err = r.walk(ctx, opts.Progress)
	return r.report, err
}

func (o *RotateOptions) pause() time.Duration {
	switch {
	case o.PerSecond < 0:
		return 0
	case o.PerSecond == 0:
		return time.Second / rotatePerSecond
	default:
		return time.Second / time.Duration(o.PerSecond)
	}
}

// rotation is a walk over all records.
type rotation struct {
	*core
	pause  time.Duration
	report RotateReport
}

func (r *rotation) walk(ctx context.Context, progress func(RotateReport)) error {
	q := storage.Query{Everywhere: true, Limit: rotatePage, After: r.report.Next}
	for {
		page, err := r.store.List(ctx, q)
		if err != nil {
			return stored(err)
		}
		for _, rec := range page.Records {
			if err := r.turn(ctx, rec); err != nil {
				return err
			}
		}
		q.After, r.report.Next = page.Next, page.Next
		if progress != nil {
			report := r.report
			report.Left = slices.Clone(report.Left)
			progress(report)
		}
		if page.Next == "" {
			return nil
		}
	}
}

// turn seals one record anew, if it has to be, and notes what became of it. An error means
// that the walk cannot go on.
func (r *rotation) turn(ctx context.Context, rec storage.Record) error {
	r.report.Records++
	before := r.report.Resealed + r.report.Removed
	err := r.reseal(ctx, rec)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return r.ended(ctx)
	case !leavesOne(err):
		return err
	default:
		r.leave(rec, asError(err).Detail())
	}
	if r.report.Resealed+r.report.Removed == before || r.pause == 0 {
		return nil
	}
	select {
	case <-time.After(r.pause):
		return nil
	case <-ctx.Done():
		return r.ended(ctx)
	}
}

// leavesOne tells what is wrong with one record from a store or keeper that does not answer.
func leavesOne(err error) bool {
	return errors.Is(err, secrets.ErrSealBroken) || errors.Is(err, secrets.ErrKeyNotFound) || !asError(err).Retryable
}

func (r *rotation) leave(rec storage.Record, reason string) {
	r.report.Failed++
	if len(r.report.Left) < maxLeft {
		r.report.Left = append(r.report.Left, RotateLeft{Tenant: rec.Tenant, Kind: rec.Kind, ID: rec.ID, Reason: reason})
	}
}

// replace writes what f makes of a record, as often as somebody else is faster. A record that
// is gone needs nothing.
func (r *rotation) replace(ctx context.Context, rec storage.Record, f func(*storage.Record) error) error {
	for race := 1; ; race++ {
		next := rec
		if err := f(&next); err != nil {
			return err
		}
		if slices.Equal(next.Labels, rec.Labels) && string(next.Data) == string(rec.Data) {
			return nil
		}
		now := r.opts.now().UTC()
		next.Revision, next.Updated = nextRevision(rec.Revision, now), now
		err := r.store.Apply(ctx, storage.Update(next, rec.Revision))
		if err == nil {
			r.report.Resealed++
			return nil
		}
		if errors.Is(err, storage.ErrConflict) && race < maxRaces {
			rec, err = r.store.Get(ctx, rec.Key)
		}
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		if err != nil {
			return stored(err)
		}
	}
}

// under reports whether a record says of itself that all its boxes are sealed under the key.
// Of one that has no label nothing is known.
func under(rec storage.Record, key string) bool {
	labelled := false
	for _, l := range rec.Labels {
		if l.Key == sealed.LabelKey {
			if l.Value != key {
				return false
			}
			labelled = true
		}
	}
	return labelled
}
