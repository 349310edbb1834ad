package hub

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/weblink"
)

// Bounds of what leads to a page.
const (
	maxCursor  = 4 << 10
	maxNextURL = 8 << 10
)

// paging is a walk over the pages of a list: what is known between two calls.
type paging struct {
	begun   bool
	ended   bool     // there is no page after the last one read
	stuck   error    // why the page after it cannot be asked for
	value   string   // what the next call carries: a cursor, an offset or a number, as JSON
	next    string   // the URL of the next page, as it was written
	base    *url.URL // of this page, without what the authentication adds
	from    *url.URL // of the page before
	pages   int
	items   int
	number  int                   // of the next page, or its offset
	visited map[[32]byte]struct{} // digests of cursors, URLs and pages: none comes twice
}

// enter is asked when the plan is found, before the payload is checked.
func (p *paging) enter(r *run) error {
	g := r.req.def.Pagination
	if g == nil {
		return invalid("request", "pagination", "the request does not say how its pages follow each other (pagination)")
	}
	if !p.begun {
		p.begun, p.number, p.visited = true, g.first(), map[[32]byte]struct{}{}
	}
	if g.counts() {
		p.value = strconv.Itoa(p.number)
	}
	if g.Member != "" && p.value != "" {
		r.call.Payload = withMember(r.call.Payload, g.Member, p.value)
	}
	return nil
}

// turn leads a rendered call to its page.
func (p *paging) turn(r *run) error {
	g := r.req.def.Pagination
	if g.Param != "" && p.value != "" {
		r.wire.URL.RawQuery = withParam(r.wire.URL.RawQuery, g.Param, scalarText(gjson.Parse(p.value)))
	}
	if p.next != "" {
		u, err := p.follow(r)
		if err != nil {
			return err
		}
		r.wire.URL = u
	}
	base := *r.wire.URL
	p.base = &base
	if name := r.req.idempotencyHeader(); name != "" {
		if key := r.wire.Header.Get(name); !blank(key) {
			r.wire.Header.Set(name, p.key(key))
		}
	}
	return nil
}

// follow is the URL that the page before named. Which hosts it may lead to, and with which
// secrets, the guard decides as for every call. What the request itself puts into the query and
// must not be shown, the URL need not repeat.
func (p *paging) follow(r *run) (*url.URL, error) {
	u, err := p.from.Parse(p.next)
	if err != nil || strings.Contains(p.next, `\`) {
		return nil, r.badPage("the URL of the next page cannot be read")
	}
	u.Fragment, u.RawFragment = "", ""
	if u, err = egress.ParseURL(u.String()); err != nil {
		return nil, r.badPage("the URL of the next page cannot be used")
	}
	if u.Scheme != "https" && p.from.Scheme == "https" {
		return nil, failure(Forbidden, "the URL of the next page leads from https to http")
	}
	if u.Host != p.from.Host && r.shown(u) {
		return nil, failure(Forbidden, "the URL of the next page leads to another host and holds a secret")
	}
	for _, sink := range r.plan.schemeSinks(r.req) { // the authentication sets it anew
		if name, ok := strings.CutPrefix(string(sink.Place), "query:"); ok {
			u.RawQuery = withoutParam(u.RawQuery, name)
		}
	}
	for _, sink := range r.wire.Sinks {
		if name, ok := strings.CutPrefix(string(sink.Place), "query:"); ok {
			u.RawQuery = withParam(u.RawQuery, name, r.wire.URL.Query().Get(name))
		}
	}
	return u, nil
}

// shown reports whether a URL that somebody else wrote holds something that is known as secret.
func (r *run) shown(u *url.URL) bool {
	text := u.String()
	decoded, _ := url.QueryUnescape(text)
	for _, s := range r.scrubbers() {
		for _, t := range []string{text, decoded} {
			if _, found := s.String(t); found > 0 {
				return true
			}
		}
	}
	return false
}

// read is the step that finds out, before the answer is masked, what leads to the next page.
func (p *paging) read(r *run, err error) error {
	if err != nil {
		return err
	}
	p.pages++
	p.from = p.base
	a, g := r.reading(), r.req.def.Pagination
	if r.ruled().says(VerdictIgnore) {
		p.ended = true
		return nil
	}
	items, err := p.count(r, a)
	if err != nil {
		return err
	}
	p.items += items
	if len(a.Body) > 0 && (items > 0 || g.Items == "") && !p.visit("page", string(a.Body)) {
		return r.badPage("the page is the same as an earlier one: the third party goes round in circles")
	}
	if g.More != "" && !truthy(a.get(bodyPath{text: g.More})) {
		p.ended = true
		return nil
	}
	p.stuck = p.lead(r, a, items) // this page is good all the same
	return nil
}

// count counts the items of a page.
func (p *paging) count(r *run, a *reading) (int, error) {
	at := r.req.def.Pagination.Items
	if at == "" {
		return 0, nil
	}
	list := a.get(bodyPath{text: at})
	switch {
	case list.IsArray():
		n := 0
		list.ForEach(func(_, _ gjson.Result) bool { n++; return true })
		return n, nil
	case list.Exists() && list.Type == gjson.Null:
		return 0, nil
	}
	return 0, r.badPage("the answer has no list at " + quote(at) + " (pagination.items): it is no page")
}

// lead finds what leads to the next page.
func (p *paging) lead(r *run, a *reading, items int) error {
	g := r.req.def.Pagination
	switch g.Kind {
	case PageOffset, PageNumber:
		return p.countOn(r, g, items)
	case PageLink:
		target, ok := weblink.Next(a.Header.Values("Link"))
		p.next, p.ended = target, !ok
	default:
		text, err := p.told(r, a.own(bodyPath{text: g.Next}))
		if err != nil {
			return err
		}
		p.ended = text == ""
		if g.Kind == PageURL {
			p.next = text
		} else {
			p.value = text
		}
	}
	if p.ended {
		if g.More != "" {
			p.ended = false
			return r.badPage(noWayOn)
		}
		return nil
	}
	return p.once(r)
}

// countOn counts on to the next page. An empty one is the last only where nothing else tells.
func (p *paging) countOn(r *run, g *Pagination, items int) error {
	step := items
	if g.Kind == PageNumber {
		step = 1
	}
	p.number += step
	p.ended = items == 0 && g.More == ""
	if step == 0 && !p.ended {
		return r.badPage(noWayOn)
	}
	return nil
}

// noWayOn is said of a page after which more are told of, and none can be asked for.
const noWayOn = "the answer says that more pages follow, and not how to get there"

// told is a cursor as JSON, or the text of a URL; empty if there is none.
func (p *paging) told(r *run, v gjson.Result) (string, error) {
	kind := r.req.def.Pagination.Kind
	switch {
	case !truthy(v) && v.Type != gjson.Number, v.Type == gjson.Number && kind == PageURL:
		return "", nil
	case v.Type == gjson.String && kind == PageURL:
		return strings.Clone(v.Str), nil
	case v.Type == gjson.String, v.Type == gjson.Number:
		if len(v.Raw) > maxCursor {
			return "", r.badPage("the cursor is longer than " + itoa(maxCursor) + " bytes")
		}
		return strings.Clone(v.Raw), nil
	}
	return "", r.badPage("what leads to the next page is neither a text nor a number")
}

// once demands that what leads to the next page has not led anywhere before.
func (p *paging) once(r *run) error {
	if len(p.next) > maxNextURL {
		return r.badPage("the URL of the next page is longer than " + itoa(maxNextURL) + " bytes")
	}
	key := p.value
	if p.next != "" {
		u, err := p.base.Parse(p.next)
		if err != nil {
			return r.badPage("the URL of the next page cannot be read")
		}
		p.visit("at", p.base.String())
		u.Fragment, u.RawFragment = "", ""
		key = u.String()
	}
	if !p.visit("at", key) {
		return r.badPage("what leads to the next page has led to an earlier one: the third party goes round in circles")
	}
	return nil
}

// visit reports whether something comes for the first time.
func (p *paging) visit(kind, what string) bool {
	key := sha256.Sum256([]byte(kind + "\x00" + what))
	_, again := p.visited[key]
	p.visited[key] = struct{}{}
	return !again
}

// badPage is the error of a page that cannot be used, or leads nowhere.
func (r *run) badPage(detail string) error { return r.explained(failure(BadAnswer, detail)) }

// truthy reports whether a value says yes: no null, no false, no zero, nothing empty.
func truthy(v gjson.Result) bool {
	switch v.Type {
	case gjson.String:
		return v.Str != "" && v.Str != "false"
	case gjson.Number:
		return v.Num != 0
	case gjson.True, gjson.JSON:
		return true
	}
	return false
}

// itemsOf yields the items of a page, each a text of its own.
func itemsOf(body []byte, at string, yield func(json.RawMessage) bool) bool {
	list, whole := path.Get(body, at), true
	if !list.IsArray() { // null
		return true
	}
	list.ForEach(func(_, item gjson.Result) bool {
		whole = yield(json.RawMessage(item.Raw))
		return whole
	})
	return whole
}

// withMember sets a member of a payload, which is one JSON text or none; of what is no object
// it is left to the checks.
func withMember(payload json.RawMessage, name, value string) json.RawMessage {
	trimmed := trimSpace(payload)
	if len(trimmed) > 0 && trimmed[0] != '{' || len(trimmed) > 0 && !json.Valid(trimmed) {
		return payload
	}
	var out bytes.Buffer
	quoted, _ := json.Marshal(name) // a name that refName admits
	out.WriteByte('{')
	gjson.ParseBytes(trimmed).ForEach(func(member, v gjson.Result) bool {
		if member.Str != name {
			out.WriteString(member.Raw + ":" + v.Raw + ",")
		}
		return true
	})
	out.Write(quoted)
	out.WriteString(":" + value + "}")
	return out.Bytes()
}

// withParam sets a parameter of a query and leaves the others as they are.
func withParam(query, name, value string) string {
	query = withoutParam(query, name)
	if query != "" {
		query += "&"
	}
	return query + url.QueryEscape(name) + "=" + url.QueryEscape(value)
}

func withoutParam(query, name string) string {
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(key); pair != "" && (err != nil || decoded != name) {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}
