package hub

import (
	"context"
	"encoding/json"
	"iter"
)

// PageOptions are what [Tenant.ExecutePages] and [Tenant.ExecuteItems] can be told. Nil and the
// zero value of each field mean the default written on it.
type PageOptions struct {
	// MaxPages ends the walk after so many pages: there is no such end.
	MaxPages int
	// MaxItems ends the walk with the page that brings so many items (ExecuteItems: with
	// the item): there is no such end.
	MaxItems int
}

// ExecutePages makes the call of a request, and again for each further page of its list, as
// Request.Pagination says, and yields the result of each:
//
//	for page, err := range h.ExecutePages(ctx, call, nil) {
//		if err != nil {
//			return err
//		}
//		…
//	}
//
// Each page is a call like any other: with its own deadline, attempts, outputs and event. Its
// URL, also one that an answer names, is held against the connector's hosts and the bindings of
// its secrets. The next page is asked for when the loop comes back for it.
//
// An error ends the walk: it is yielded once, after the pages before it, with the result of
// Execute. An answer that is no page, or one that was there before, is a [BadAnswer]. So is a
// walk that Limits.Pages or Limits.Items cut off: nobody takes a part for the whole. The ends
// that the options ask for are none.
func (t *Tenant) ExecutePages(ctx context.Context, call Call, opts *PageOptions) iter.Seq2[*Result, error] {
	return func(yield func(*Result, error) bool) {
		t.walk(ctx, "ExecutePages", call, opts, func(res *Result, _ string, err error) bool { return yield(res, err) })
	}
}

// ExecuteItems is [Tenant.ExecutePages] for who wants the items and not the pages: it yields
// each item of the list at Pagination.Items as JSON. An error is yielded once, after the items
// before it.
func (t *Tenant) ExecuteItems(ctx context.Context, call Call, opts *PageOptions) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		left := -1
		if opts != nil && opts.MaxItems > 0 {
			left = opts.MaxItems
		}
		t.walk(ctx, "ExecuteItems", call, opts, func(res *Result, items string, err error) bool {
			if err != nil {
				return yield(nil, err)
			}
			return itemsOf(res.Body, items, func(item json.RawMessage) bool {
				left--
				return yield(item, nil) && left != 0
			})
		})
	}
}

// walk makes one call after the other and hands on their results, with the path of their items.
func (t *Tenant) walk(ctx context.Context, op string, call Call, opts *PageOptions, yield func(*Result, string, error) bool) {
	var o PageOptions
	if opts != nil {
		o = *opts
	}
	p := &paging{}
	for {
		r := &run{Tenant: t, op: op, call: call, pick: named, paging: p}
		res, err := t.page(ctx, r)
		if err != nil {
			yield(res, "", err)
			return
		}
		if !yield(res, r.req.def.Pagination.Items, nil) || p.ended ||
			o.MaxPages > 0 && p.pages >= o.MaxPages || o.MaxItems > 0 && p.items >= o.MaxItems {
			return
		}
	}
}

// page makes one call of a walk, if the walk may go on.
func (t *Tenant) page(ctx context.Context, r *run) (_ *Result, err error) {
	defer finish(&err, r.op, r.call.Connector, r.call.Request)
	switch {
	case r.paging.stuck != nil:
		return nil, r.paging.stuck
	case r.paging.pages >= t.limits.Pages:
		return nil, failure(BadAnswer, "the list has more than "+itoa(t.limits.Pages)+" pages: the host application decides how many are read (Limits.Pages)")
	case r.paging.items >= t.limits.Items:
		return nil, failure(BadAnswer, "the list has more than "+itoa(t.limits.Items)+" items: the host application decides how many are read (Limits.Items)")
	case r.op == "ExecuteItems":
		r.pick = withItems
	}
	return t.run(ctx, r)
}

// withItems picks a request that says where its items are.
func withItems(r *run, p *connectorPlan) (*requestPlan, error) {
	req, err := named(r, p)
	if err == nil && (req.def.Pagination == nil || req.def.Pagination.Items == "") {
		return nil, invalid("request", "pagination", "the request does not say where its items are (pagination.items)")
	}
	return req, err
}
