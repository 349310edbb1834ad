package hub

import (
	"github.com/integrationhub/hub/internal/path"
)

// PageKind says what leads from one page of a list to the next.
type PageKind string

// The kinds of pages.
const (
	// PageCursor: the answer holds, at Next, a text or number that the next call hands back.
	PageCursor PageKind = "cursor"
	// PageOffset: each call says how many items have been read.
	PageOffset PageKind = "offset"
	// PageNumber: each call says the number of its page.
	PageNumber PageKind = "page"
	// PageLink: the answer's header has a Link to the next page (RFC 8288, rel="next").
	PageLink PageKind = "link"
	// PageURL: the answer holds, at Next, the URL of the next page.
	PageURL PageKind = "next-url"
)

// Pagination says how the pages of a list follow each other. [Tenant.ExecutePages] and
// [Tenant.ExecuteItems] follow them; Execute, Plan and tests make one call and do not ask.
//
//	{"kind": "cursor", "items": "results", "next": "paging.next.after", "param": "after"}
type Pagination struct {
	Kind PageKind `json:"kind"`
	// Items is the gjson path of the list in an answer; "@this" if the answer is the list.
	// An answer without one is no page but an error; null is an empty list.
	Items string `json:"items,omitempty"`
	// Next is the gjson path of the cursor, or of the next page's URL. The last page has
	// none, or null, false or an empty text.
	Next string `json:"next,omitempty"`
	// More is the gjson path of a value that is true as long as more pages follow, also after
	// an empty one. Empty: offset and page end with an empty page, the other kinds where
	// nothing leads on.
	More string `json:"more,omitempty"`
	// Param is the query parameter that carries the cursor, the offset or the number.
	Param string `json:"param,omitempty"`
	// Member, instead of Param, is the member of a mapped payload that carries it:
	// {{member ?? null}} puts it where it belongs, into the body say.
	Member string `json:"member,omitempty"`
	// Start is the first offset or number; nil: offset 0, page 1.
	Start *int `json:"start,omitempty"`
}

// first is what the first page is called.
func (p *Pagination) first() int {
	switch {
	case p.Start != nil:
		return *p.Start
	case p.Kind == PageNumber:
		return 1
	}
	return 0
}

// counts reports whether pages are told by a number that the hub counts.
func (p *Pagination) counts() bool { return p.Kind == PageOffset || p.Kind == PageNumber }

// handsBack reports whether a call carries what leads to its page as a value.
func (p *Pagination) handsBack() bool { return p.Kind == PageCursor || p.counts() }

// maxStart bounds Pagination.Start.
const maxStart = 1 << 30

// pagination checks how the pages of a request follow each other.
func (p *problems) pagination(plan *requestPlan) {
	g, path := plan.def.Pagination, in(plan.path, "pagination")
	if g == nil {
		return
	}
	among(p, in(path, "kind"), g.Kind, PageCursor, PageOffset, PageNumber, PageLink, PageURL)
	p.answerPath(in(path, "items"), g.Items, g.counts(), true)
	p.answerPath(in(path, "next"), g.Next, g.Kind == PageCursor || g.Kind == PageURL, !g.counts() && g.Kind != PageLink)
	p.answerPath(in(path, "more"), g.More, false, g.Kind != PageLink)
	p.pageCarrier(path, plan)
	if g.Start != nil {
		if !g.counts() {
			p.add(in(path, "start"), "kind", "only offset and page count from somewhere")
		}
		p.within(in(path, "start"), *g.Start, 0, maxStart, "")
	}
}

// answerPath checks a path into answers that a kind of pages may need, or not have.
func (p *problems) answerPath(at, text string, needed, allowed bool) {
	switch {
	case text == "" && needed:
		p.add(at, "required", "this kind of pages needs the path")
	case text != "" && !allowed:
		p.add(at, "kind", "this kind of pages does not use the path")
	case text != "":
		if err := path.Check(text, path.Result); err != nil {
			p.add(at, "path", "%v", err)
		}
	}
}

// pageCarrier checks what carries a cursor, offset or number.
func (p *problems) pageCarrier(path string, plan *requestPlan) {
	g := plan.def.Pagination
	switch {
	case !g.handsBack():
		if g.Param != "" || g.Member != "" {
			p.add(path, "kind", "pages that are led to by URLs have neither param nor member")
		}
	case (g.Param == "") == (g.Member == ""):
		p.add(path, "required", "either param or member must name what carries the %s", g.Kind)
	case g.Member != "":
		p.refName(in(path, "member"), g.Member)
		if plan.def.PayloadMode != PayloadMapped {
			p.add(in(path, "member"), "payload-mode", "only a mapped payload takes a member: use param")
		}
	default:
		p.text(in(path, "param"), g.Param, maxName)
	}
}
