package hub

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/render"
	"github.com/integrationhub/hub/internal/scrub"
)

// connectorPlan is a connector compiled. All the work of parsing is done when it is made; it
// does not change afterwards and serves many calls at once.
type connectorPlan struct {
	*outline
	tenant   string
	def      definition
	hosts    egress.Rules // where calls may go
	vars     variables
	secrets  secretPlans
	requests []*requestPlan // as the definition orders them; of those with one name the first
	states   []requestState // :: position in requests → what calls found out
	identity *egress.Identity
	way      http.RoundTripper // out of the process, as this identity
	scrubber *scrub.Scrubber
	lookUp   lookUp

	// problems keep the whole connector from running, each requestPlan's only itself.
	problems []FieldError
	revision int64
	size     int64
	stale    bool      // a secret could not be had: try again at the next revision check
	until    time.Time // when secrets from outside are read again; zero: never
	authKey  string    // moves with all that a token depends on

	// sibling is the plan with the other version of secrets that have two, and version tells
	// which one this has; nil: none has two.
	sibling *connectorPlan
	version SecretVersion
}

// compiler turns a definition into a plan and notes every broken rule.
type compiler struct {
	problems
	core    *core
	con     *Connector
	tpl     *Template
	bounds  *egress.Rules // hosts that the template allows; nil: any
	plan    *connectorPlan
	secrets map[string]bool
	vars    map[string]string
}

// compile compiles a normalized definition. Whatever is wrong with it is noted in the plan,
// under its path; the rest can be used.
func (c *core) compile(tenant string, con *Connector, tpl *Template, bounds *egress.Rules) *connectorPlan {
	k := &compiler{core: c, con: con, tpl: tpl, bounds: bounds}
	k.plan = &connectorPlan{tenant: tenant, outline: newOutline(con, tpl)}
	k.plan.def = definition{ID: con.ID, Name: con.Name, Paused: con.Paused, settings: &k.plan.settings}
	k.plan.lending = k.policy()
	k.names()
	k.connector()
	k.hosts()
	k.auth()
	k.refusals()
	k.verify()
	k.requests()
	k.plan.states = make([]requestState, len(k.plan.requests))
	k.plan.problems = k.list
	return k.plan
}

// broken lists every broken rule of the plan, of the connector and of its requests.
func (p *connectorPlan) broken() []FieldError {
	all := slices.Clone(p.problems)
	for _, r := range p.requests {
		all = append(all, r.problems...)
	}
	return distinct(all)
}

// Counts of lists in a connector.
const (
	maxTags   = 50
	maxTag    = 64
	maxPEM    = 256 << 10
	maxParams = 100

	maxConcurrency = 1_000_000
)

func (k *compiler) connector() {
	con := k.con
	k.id("id", con.ID)
	k.name("name", con.Name)
	k.count("tags", len(con.Tags), maxTags)
	for i, tag := range con.Tags {
		if k.line(at("tags", i), tag, maxTag); tag == "" {
			k.add(at("tags", i), "required", "must not be empty")
		}
		if slices.Contains(con.Tags[:i], tag) {
			k.add(at("tags", i), "duplicate", "is listed twice")
		}
	}
	k.within("timeout", con.Timeout, 1, k.maxTimeout(), "milliseconds")
	k.concurrency()
	k.con.RateLimit.check(&k.problems, "rateLimit")
	k.plan.rates = k.plan.rates.with(rateTemplate, k.tpl.Limits.RateLimit).with(rateConnector, k.con.RateLimit)
	k.problems.headers("headers", con.Headers)
	k.headerValues("headers", con.Headers)
	k.tls()
}

// maxTimeout is the ceiling of the connector's timeout, in milliseconds.
func (k *compiler) maxTimeout() int {
	most := millis(k.core.limits.MaxTimeout)
	if k.tpl.Limits.Timeout > 0 {
		most = min(most, k.tpl.Limits.Timeout)
	}
	return most
}

// concurrency takes the narrowest bound of the calls at once.
func (k *compiler) concurrency() {
	k.within("concurrency", k.con.Concurrency, 0, maxConcurrency, "calls")
	k.plan.calls = k.core.limits.ConnectorCalls
	for _, n := range []int{k.tpl.Limits.Concurrency, k.con.Concurrency} {
		if n > 0 {
			k.plan.calls = min(k.plan.calls, n)
		}
	}
}

// names checks variables and secrets, which share one namespace with the template's fields.
func (k *compiler) names() {
	con := k.con
	k.secrets = map[string]bool{}
	k.vars = map[string]string{}
	for i := range k.tpl.Fields {
		f := &k.tpl.Fields[i]
		if f.Secret {
			k.secrets[f.Key] = true
		} else if f.Default != "" {
			k.vars[f.Key] = f.Default
		}
	}
	k.declaredSecrets()
	for _, name := range sortedKeys(con.Variables) {
		path := in("variables", shorten(name))
		k.refName(path, name)
		k.text(path, con.Variables[name], k.core.limits.ValueBytes)
		if k.secrets[name] {
			k.add(path, "duplicate", "is the name of a secret: set it with SetSecret")
		}
		k.vars[name] = con.Variables[name]
	}
	k.plan.vars = variablesOf(k.vars)
	for i := range k.tpl.Fields {
		if f := &k.tpl.Fields[i]; con.Variables[f.Key] != "" {
			f.checkValue(&k.problems, in("variables", f.Key), con.Variables[f.Key])
		}
	}
	k.count("variables", len(con.Variables)+len(k.secrets), k.core.limits.Names)
}

func (k *compiler) declaredSecrets() {
	seen := map[string]bool{}
	for i, s := range k.con.Secrets {
		path := at("secrets", i)
		k.refName(in(path, "name"), s.Name)
		k.text(in(path, "description"), s.Description, maxText)
		checkHosts(&k.problems, in(path, "hosts"), s.Hosts)
		checkPlaces(&k.problems, in(path, "places"), s.Places)
		if seen[s.Name] {
			k.add(in(path, "name"), "duplicate", "is listed twice")
		}
		if k.isVariableField(s.Name) {
			k.add(in(path, "name"), "duplicate", "is a variable of the template")
		}
		seen[s.Name], k.secrets[s.Name] = true, true
	}
}

func (k *compiler) isVariableField(name string) bool {
	return slices.ContainsFunc(k.tpl.Fields, func(f Field) bool { return f.Key == name && !f.Secret })
}

// headers checks names and doubles of a list of headers; values are checked when compiled.
func (p *problems) headers(path string, list []Header) {
	p.count(path, len(list), maxHeaders)
	for i, h := range list {
		p.headerName(in(at(path, i), "name"), h.Name)
		for _, other := range list[:i] {
			if strings.EqualFold(other.Name, h.Name) {
				p.add(in(at(path, i), "name"), "duplicate", "is listed twice")
			}
		}
	}
}

// headerValues checks the references of headers that no request may use yet.
func (k *compiler) headerValues(path string, list []Header) {
	d := render.Definition{Method: http.MethodGet, URL: "https://example.com"}
	var paths []string
	for i, h := range list {
		d.Headers, paths = append(d.Headers, render.Pair(h)), append(paths, at(path, i))
	}
	k.program(&k.problems, path, d, paths, k.scope(true, true))
}

// hosts reads the connector's hosts and holds them against the template's.
func (k *compiler) hosts() {
	rules := checkHosts(&k.problems, "hosts", k.con.Hosts)
	k.plan.hosts = rules
	if k.bounds == nil {
		return
	}
	k.plan.hosts = rules.Intersect(*k.bounds)
	for i, r := range rules {
		if !k.bounds.Covers(r) {
			k.add(at("hosts", i), "host", "is not among the hosts that the template allows")
		}
	}
}

// origins notes the origins of a program that calls could not go to.
func (k *compiler) origins(p *problems, path string, program *render.Program) {
	rules, _ := egress.ParseRules(k.con.Hosts...)
	for _, origin := range program.Origins(k.variable) {
		u, err := egress.ParseURL(origin)
		if err != nil {
			p.add(path, "url", "%v", err)
			continue
		}
		if err := k.core.policy().CheckURL(u); err != nil {
			p.add(path, "egress", "%v; the host application decides what is open (Options.Egress)", err)
			continue
		}
		if !rules.AllowsURL(u) {
			p.add(path, "host", "goes to %s, which is not among the connector's hosts: add it to hosts", quote(egress.RuleFor(u).String()))
		}
	}
}

// variable looks up a variable that has a value.
func (k *compiler) variable(name string) (string, bool) {
	v, ok := k.vars[name]
	return v, ok
}

// knownVariable also knows variables that have no value yet: Readiness asks for those.
func (k *compiler) knownVariable(name string) (string, bool) {
	if v, ok := k.vars[name]; ok {
		return v, true
	}
	return "x", k.isVariableField(name)
}

func (k *compiler) scope(payload, auth bool) render.Scope {
	return render.Scope{
		Variable: k.knownVariable,
		Secret:   func(name string) bool { return k.secrets[name] },
		Payload:  payload,
		Auth:     auth && k.con.Auth.Kind != AuthNone,
		MaxBytes: k.core.limits.RequestBytes,
	}
}

// program compiles what a request sends. paths tells, for each header of d, its path in the
// definition; prefix is the path of the rest.
func (k *compiler) program(p *problems, prefix string, d render.Definition, paths []string, s render.Scope) *render.Program {
	program, found := render.Compile(d, s)
	told := slices.Concat(k.list, p.list)
	for _, f := range found {
		path := definitionPath(prefix, f.Path, paths)
		named := func(f FieldError) bool { return f.Path == path && f.Rule == "header-name" }
		if !slices.ContainsFunc(told, named) { // once is enough
			p.add(path, f.Rule, "%s", f.Message)
		}
	}
	if len(found) > 0 {
		return nil
	}
	return program
}

// definitionPath turns a path of package render into one of the connector's definition.
func definitionPath(prefix, path string, headers []string) string {
	var i int
	if n, _ := fmt.Sscanf(path, "headers[%d]", &i); n == 1 && i < len(headers) {
		if _, rest, _ := strings.Cut(path, "]"); !strings.HasSuffix(headers[i], keyPath("")) {
			return headers[i] + rest
		}
		return headers[i]
	}
	return in(prefix, path)
}

// mergeHeaders returns the headers of a request: the template's defaults, over them the
// connector's, over them the request's own; and where each of them is defined.
func (k *compiler) mergeHeaders(on HeaderPlace, own []Header, ownPath string) (merged []render.Pair, paths []string) {
	put := func(h Header, path string) {
		for i := range merged {
			if strings.EqualFold(merged[i].Name, h.Name) {
				merged[i], paths[i] = render.Pair(h), path
				return
			}
		}
		merged, paths = append(merged, render.Pair(h)), append(paths, path)
	}
	for i, h := range k.tpl.Headers {
		if h.On == on && h.Default != "" {
			put(Header{h.Name, h.Default}, at("template.headers", i))
		}
	}
	if on == OnRequest {
		for i, h := range k.con.Headers {
			put(h, at("headers", i))
		}
	}
	for i, h := range own {
		put(h, at(ownPath, i))
	}
	return merged, paths
}

func pairs(list []Param) []render.Pair {
	out := make([]render.Pair, len(list))
	for i, p := range list {
		out[i] = render.Pair(p)
	}
	return out
}

func (k *compiler) tls() {
	t := k.con.TLS
	if t == nil {
		return
	}
	k.text("tls.ca", t.CA, maxPEM)
	k.text("tls.certificate", t.Certificate, maxPEM)
	if t.MinVersion != "" {
		among(&k.problems, "tls.minVersion", t.MinVersion, "1.2", "1.3")
	}
	if (t.Certificate == "") != (t.Key == "") {
		k.add("tls.key", "required", "certificate and key go together")
	}
	if t.Key != "" && !k.secrets[t.Key] {
		k.add("tls.key", "unknown-reference", "must be the name of a secret of the connector")
	}
	if _, err := egress.NewIdentity(egress.IdentityOptions{CAPEM: []byte(t.CA)}); err != nil {
		k.add("tls.ca", "certificate", "%v", err)
	}
	if _, err := certificates(t.Certificate); err != nil {
		k.add("tls.certificate", "certificate", "%v", err)
	}
}

func duration(milliseconds int) time.Duration { return time.Duration(milliseconds) * time.Millisecond }
