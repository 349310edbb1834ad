package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"iter"
	"strings"

	"github.com/integrationhub/hub/storage"
)

// ListOptions select and page a list. The zero value lists everything from the beginning.
type ListOptions struct {
	// Prefix keeps only names that begin with it, without regard to case.
	Prefix string
	// Tag keeps only connectors that have it.
	Tag string
	// Template keeps only connectors made from it, by its id: who uses this?
	Template string
	// Limit is the most items of a page; zero means 100, and 1,000 is the most. A page may
	// hold fewer: only an empty Next tells the end.
	Limit int
	// Cursor is the Next of the page before; empty for the first page.
	Cursor string
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T `json:"items"`
	// Next is the cursor of the next page; empty on the last one.
	Next string `json:"next,omitempty"`
}

// listPage reads one page of records of a kind and decodes them.
func listPage[R, T any](ctx context.Context, t *Tenant, kind string, opts ListOptions, item func(R) T) (Page[T], error) {
	if err := opts.check(); err != nil {
		return Page[T]{}, err
	}
	query := storage.Query{
		Tenant: t.name, Kind: kind, Prefix: fold(opts.Prefix), Labels: opts.labels(),
		Limit: opts.Limit, After: opts.Cursor,
	}
	found, err := t.store.List(ctx, query)
	if errors.Is(err, storage.ErrInvalid) && opts.Cursor != "" {
		return Page[T]{}, errCursor()
	}
	if err != nil {
		return Page[T]{}, stored(err)
	}
	page := Page[T]{Items: make([]T, 0, len(found.Records)), Next: found.Next}
	for _, rec := range found.Records {
		body, err := decodeRecord[R](rec)
		if err != nil {
			return Page[T]{}, err
		}
		page.Items = append(page.Items, item(body))
	}
	return page, nil
}

// check refuses options that no store could answer.
func (o ListOptions) check() error {
	var p problems
	p.line("prefix", o.Prefix, maxName)
	p.line("tag", o.Tag, maxName)
	p.line("template", o.Template, maxName)
	if o.Limit < 0 {
		p.add("limit", "range", "must not be negative")
	}
	return p.err()
}

func errCursor() error {
	return invalid("cursor", "cursor", "must be the Next of a page of the same list")
}

func (o ListOptions) labels() []storage.Label {
	var labels []storage.Label
	if o.Template != "" {
		labels = append(labels, storage.Label{Key: labelTemplate, Value: o.Template})
	}
	if o.Tag != "" {
		labels = append(labels, storage.Label{Key: labelTag, Value: o.Tag})
	}
	return labels
}

// walk yields the items of all pages.
func walk[T any](opts ListOptions, page func(ListOptions) (Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		opts := opts
		for {
			p, err := page(opts)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range p.Items {
				if !yield(item, nil) {
					return
				}
			}
			if opts.Cursor = p.Next; opts.Cursor == "" {
				return
			}
		}
	}
}

// newID returns an id that is new wherever it is made.
func newID(kind string) string { return kind + "_" + strings.ToLower(rand.Text()) }
