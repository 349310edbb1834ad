package hub

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/integrationhub/hub/internal/render"
	"github.com/integrationhub/hub/internal/schema"
	"github.com/integrationhub/hub/internal/share"
	"github.com/integrationhub/hub/internal/transport"
	"github.com/integrationhub/hub/internal/xmlpath"
)

// Connectors of one template are mostly alike, whoever's they are. What is compiled of a
// definition is kept once for all whose definitions are equal there: it does not change, and
// holds nothing of a connector that another could not have. What a connector has for itself is
// its name, hosts, secrets and the values of its variables, which references find at each call
// through the connector's own plan.

// shares are the parts that plans in use have in common.
type shares struct {
	schemas   share.Table[schema.Schema]
	templates share.Table[terms]
	requests  share.Table[requestPlan]
	outlines  share.Table[outline]
}

// definition is what a plan knows of its connector's definition, beside what is compiled.
type definition struct {
	ID, Name string
	Paused   bool
	*settings
}

// settings are the part of a definition that connectors may have in common.
type settings struct {
	Auth        Auth
	Headers     []Header
	Timeout     int
	Concurrency int
	RateLimit   *RateLimit
	Secrets     []Secret
	TLS         *TLS
}

// terms are what a template sets for its connectors.
type terms struct {
	Methods []string
	Headers []TemplateHeader
	Fields  []Field
	Verify  *Verify
	Limits  TemplateLimits
}

// portion is what a cache knows of a part of plans: its memory in bytes, nearly.
type portion struct{ size int64 }

// partBytes is the memory of a part for each byte of its definition, as bench measures it.
const partBytes = 9

func partSize(length int) int64 { return 1<<10 + partBytes*int64(length) }

// parts lists what the plan may have in common with others.
func (p *connectorPlan) parts() []*portion {
	list := []*portion{&p.outline.portion}
	for _, r := range p.requests {
		list = append(list, &r.portion)
	}
	return list
}

// take counts the memory of an entry's plan, and release takes it away again: what several plans
// have in common counts once, as long as one of them is there. c.mu is held.
func (c *planCache) take(plan *connectorPlan) {
	c.bytes += plan.size
	for _, part := range plan.parts() {
		if c.uses[part]++; c.uses[part] == 1 {
			c.bytes += part.size
		}
	}
}

func (c *planCache) release(plan *connectorPlan) {
	c.bytes -= plan.size
	for _, part := range plan.parts() {
		if c.uses[part]--; c.uses[part] == 0 {
			c.bytes -= part.size
			delete(c.uses, part)
		}
	}
}

// outline is what is compiled of a connector beside its requests and what is its own.
type outline struct {
	portion
	settings settings
	tpl      *terms
	auth     *requestPlan     // nil: no authentication request
	scheme   *scheme          // nil: no authentication
	verify   *requestPlan     // nil: the template has none
	lending  transport.Policy // of HTTPClient
	calls    int              // that may be under way at once
	rates    rates            // that every call is held to
	refusals []matchPlan
	xpaths   xmlpath.Set // of the refusals
}

func newOutline(con *Connector, tpl *Template) *outline {
	of := &terms{Methods: tpl.Methods, Headers: tpl.Headers, Fields: tpl.Fields, Verify: tpl.Verify, Limits: tpl.Limits}
	return &outline{tpl: of, settings: settings{
		Auth: con.Auth, Headers: con.Headers, Timeout: con.Timeout,
		Concurrency: con.Concurrency, RateLimit: con.RateLimit, Secrets: con.Secrets, TLS: con.TLS,
	}}
}

// secret returns the declaration of a secret, an empty one if there is none.
func (s *settings) secret(name string) Secret { return declaration(s.Secrets, name) }

// variables are the values of variables, ordered by name.
type variables []variable

type variable struct{ name, value string }

func variablesOf(values map[string]string) variables {
	list := make(variables, 0, len(values))
	for _, name := range sortedKeys(values) {
		list = append(list, variable{name, values[name]})
	}
	return list
}

func (list variables) get(name string) (string, bool) {
	i, ok := slices.BinarySearchFunc(list, name, func(v variable, name string) int { return strings.Compare(v.name, name) })
	if !ok {
		return "", false
	}
	return list[i].value, true
}

// lookUp finds variables, secrets and origins, for rendering.
type lookUp struct {
	variable func(string) (string, bool)
	secret   func(string) (string, error)
	origin   func(string) bool
}

func (l *lookUp) values() render.Values {
	return render.Values{Variable: l.variable, Secret: l.secret, OriginAllowed: l.origin}
}

// requestState is what calls of a request found out about it in one plan.
type requestState struct {
	ready  atomic.Bool            // it lacks nothing
	passed atomic.Pointer[passed] // a call of it that the guard let pass; nil: none yet
}

// state returns that of a request; calls that are none of the connector's requests begin anew.
func (p *connectorPlan) state(req *requestPlan) *requestState {
	if i := slices.Index(p.requests, req); i >= 0 {
		return &p.states[i]
	}
	return new(requestState)
}

// request returns the request of a name, nil if there is none.
func (p *connectorPlan) request(name string) *requestPlan {
	for _, r := range p.requests {
		if r.def.Name == name {
			return r
		}
	}
	return nil
}

// share puts the parts that other plans have, too, in the place of the plan's own. Parts with
// problems stay the plan's own, and so does all that has to do with the problems of a connector:
// these depend on its hosts and on the values of its variables.
func (s *shares) share(p *connectorPlan) {
	sound := len(loadable(p.problems)) == 0
	template, length, err := share.KeyOf(p.tpl)
	p.outline.size = partSize(length)
	if sound = sound && err == nil; sound {
		p.tpl = one(&s.templates, template, p.tpl)
	}
	common := p.common(template)
	for i, r := range p.requests {
		p.requests[i] = s.request(r, common, sound)
	}
	key, length, err := share.KeyOf(common, p.settings)
	p.outline.size += partSize(length)
	if sound && err == nil && (p.verify == nil || len(p.verify.problems) == 0) {
		p.outline = one(&s.outlines, key, p.outline)
		p.def.settings = &p.outline.settings
	}
}

// common is what all of a connector's requests are compiled with: its template, what it says of
// every request, and which names are secrets.
func (p *connectorPlan) common(template share.Key) []any {
	s := &p.settings
	return []any{template, s.Auth.Kind, s.Headers, s.Timeout, s.RateLimit, p.secretNames()}
}

// secretNames are the names that references to secrets can have.
func (p *connectorPlan) secretNames() []string {
	var names []string
	for _, s := range p.settings.Secrets {
		names = append(names, s.Name)
	}
	for i := range p.tpl.Fields {
		if p.tpl.Fields[i].Secret {
			names = append(names, p.tpl.Fields[i].Key)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// request returns the one of all requests that are equal to r. Ids are made by chance, and most
// requests have no use for theirs.
func (s *shares) request(r *requestPlan, common []any, sound bool) *requestPlan {
	sound = sound && len(r.problems) == 0
	if sound && r.def.RateLimit == nil && r.def.Fallback == nil {
		r.def.ID = ""
	}
	key, length, err := share.KeyOf(common, r.path, r.def)
	r.size = partSize(length)
	for _, s := range []*schema.Schema{r.schema, r.contract} {
		if s != nil { // some take more than other text
			r.size += max(0, int64(s.Size())-partBytes*int64(s.Length()))
		}
	}
	if err != nil || !sound {
		return r
	}
	return one(&s.requests, key, r)
}

// schema compiles a schema, unless it is in use already. The limits are those of the hub.
func (s *shares) schema(source []byte, limits schema.Limits) (*schema.Schema, error) {
	key, _, err := share.KeyOf(source)
	if err != nil { // bytes: cannot happen
		return nil, err
	}
	return s.schemas.Get(key, func() (*schema.Schema, error) { return schema.Compile(source, limits) })
}

// one returns the value of a key that is in use, or else v.
func one[T any](table *share.Table[T], key share.Key, v *T) *T {
	v, _ = table.Get(key, func() (*T, error) { return v, nil }) // there is no error
	return v
}
