package storage

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
)

// CopyOptions are the choices of a [Copy]. Nil means all defaults.
type CopyOptions struct {
	// Replace allows dst to hold what src does not: such records are deleted, and those
	// that differ are replaced, whatever their revision. This is how a copy that was made
	// while src was in use is brought up to date. False: they make Copy fail with
	// ErrExists, and stay as they are.
	Replace bool

	// Progress is called after each step, from the goroutine that called Copy, with what
	// was done so far. It must be quick. Nil: nobody is told.
	Progress func(CopyProgress)
}

// CopyProgress tells how far a [Copy] is. The store does not know how many records there
// are, so there is no end to compare with.
type CopyProgress struct {
	Seen    int64 // records read from src
	Written int64 // records created in dst
	Deleted int64 // records deleted from dst, those that are replaced among them
	Checked int64 // records read back from dst
}

// Copy makes dst hold the records of src, revisions and all, and reads them back: it
// returns nil only if dst then has as many records as were read from src, with the same
// [Summary]. Sealed records stay sealed under the keys they have.
//
// A copy that was interrupted is taken up again by calling Copy again: what dst has already
// is read and not written. Nobody else may write to dst; if somebody writes to src
// meanwhile, the copy holds each record as it was at some moment since Copy began, or Copy
// fails where names have changed hands, and is made good by another with Replace once src
// is at rest.
//
// Both stores may be of any kind, but not the same. Memory stays within some pages,
// whatever the number of records.
func Copy(ctx context.Context, dst, src Store, opts *CopyOptions) (Summary, error) {
	c := copying{dst: dst, src: src}
	if opts != nil {
		c.opts = *opts
	}
	sum, err := c.run(ctx)
	if err != nil {
		return Summary{}, fmt.Errorf("copy: %w", err)
	}
	return sum, nil
}

// copying is a Copy under way.
type copying struct {
	dst, src Store
	opts     CopyOptions
	done     CopyProgress

	batch []Change
	bytes int
}

func (c *copying) run(ctx context.Context) (Summary, error) {
	if c.opts.Replace {
		if err := c.compare(ctx, nil, c.clear); err != nil {
			return Summary{}, err
		}
	}
	read := newSummer()
	if err := c.compare(ctx, read, c.fill); err != nil {
		return Summary{}, err
	}
	want := read.summary()
	got, err := c.check(ctx)
	if err != nil {
		return Summary{}, err
	}
	c.report()
	if got != want {
		return Summary{}, fmt.Errorf("the copy has %d records of %d bytes, %d records of %d bytes were read, or their digests differ: somebody writes to the destination",
			got.Records, got.Bytes, want.Records, want.Bytes)
	}
	return want, nil
}

// compare walks both stores and gives visit each key once: with the record of src, that of
// dst, or both. What visit writes lies behind the walk of dst.
func (c *copying) compare(ctx context.Context, read *summer, visit func(ctx context.Context, src, dst *Record) error) error {
	from, to := walk{store: c.src, what: "the source"}, walk{store: c.dst, what: "the destination"}
	for {
		s, err := from.peek(ctx)
		if err != nil {
			return err
		}
		d, err := to.peek(ctx)
		if err != nil {
			return err
		}
		if s == nil && d == nil {
			return c.flush(ctx)
		}
		order := compareRecords(s, d)
		if order > 0 {
			s = nil
		} else {
			from.advance()
			c.seen(read, s)
		}
		if order < 0 {
			d = nil
		} else {
			to.advance()
		}
		if err := visit(ctx, s, d); err != nil {
			return err
		}
	}
}

// seen counts a record of src, if this walk is the one that counts.
func (c *copying) seen(read *summer, r *Record) {
	if read != nil {
		read.add(*r)
		c.done.Seen++
	}
}

// compareRecords orders by key; nil is above all.
func compareRecords(a, b *Record) int {
	switch {
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
}

// clear deletes what is only in dst or differs, so that names are free for what comes.
func (c *copying) clear(ctx context.Context, src, dst *Record) error {
	if dst == nil || src != nil && equal(*src, *dst) {
		return nil
	}
	c.done.Deleted++
	return c.write(ctx, Delete(dst.Key, dst.Revision), 0)
}

// fill creates what is missing in dst.
func (c *copying) fill(ctx context.Context, src, dst *Record) error {
	switch {
	case dst == nil:
		c.done.Written++
		return c.write(ctx, Create(*src), len(src.Data))
	case src == nil:
		return fmt.Errorf("%w: the destination holds %s, the source does not", ErrExists, dst.Key)
	case !equal(*src, *dst):
		return fmt.Errorf("%w: the destination holds another %s than the source", ErrExists, dst.Key)
	}
	return nil
}

func equal(a, b Record) bool {
	return bytes.Equal(appendRecord(nil, a.Normal()), appendRecord(nil, b.Normal()))
}

// maxBatch is how many bytes of Data are written at once, the last record apart.
const maxBatch = 4 << 20

func (c *copying) write(ctx context.Context, change Change, size int) error {
	c.batch = append(c.batch, change)
	c.bytes += size
	if len(c.batch) == MaxChanges || c.bytes >= maxBatch {
		return c.flush(ctx)
	}
	return nil
}

func (c *copying) flush(ctx context.Context) error {
	if len(c.batch) > 0 {
		if err := c.dst.Apply(ctx, c.batch...); err != nil {
			return fmt.Errorf("write to the destination: %w", err)
		}
	}
	c.batch, c.bytes = c.batch[:0], 0
	c.report()
	return nil
}

// check reads dst back.
func (c *copying) check(ctx context.Context) (Summary, error) {
	return sum(ctx, walk{store: c.dst, what: "the copy"}, func() {
		if c.done.Checked++; c.done.Checked%MaxPage == 0 {
			c.report()
		}
	})
}

func (c *copying) report() {
	if c.opts.Progress != nil {
		c.opts.Progress(c.done)
	}
}
