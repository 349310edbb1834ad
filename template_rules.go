package hub

import (
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/integrationhub/hub/internal/egress"
)

// verbs are the methods that a template can allow.
var verbs = []string{
	http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodHead, http.MethodOptions,
}

// formats are the words of Field.Format, each with its check.
var formats = map[string]func(string) bool{
	"email":    func(s string) bool { a, err := mail.ParseAddress(s); return err == nil && a.Address == s },
	"hostname": func(s string) bool { _, err := egress.CanonicalHost(s); return err == nil },
	"uri":      func(s string) bool { u, err := url.Parse(s); return err == nil && u.IsAbs() },
	"uuid":     regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString,
	"date":     func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil },
	"integer":  func(s string) bool { _, err := strconv.ParseInt(s, 10, 64); return err == nil },
}

// Counts of lists in a template.
const (
	maxHeaders = 50
	maxHosts   = 100
	maxFields  = 100
	maxEnum    = 100
)

// normalize gives a template's empty members their defaults.
func (t *Template) normalize() {
	if t.IntegrationMethod == "" {
		t.IntegrationMethod = REST
	}
	if t.AuthType == "" {
		t.AuthType = AuthNone
	}
	for i := range t.Headers {
		if t.Headers[i].On == "" {
			t.Headers[i].On = OnRequest
		}
	}
	for i, h := range t.AllowedHosts {
		if r, err := egress.ParseRule(h); err == nil {
			t.AllowedHosts[i] = r.String()
		}
	}
}

// check notes every broken rule of a normalized template.
func (t *Template) check(p *problems, limits *Limits) {
	p.encodable("", t)
	p.id("id", t.ID)
	p.name("name", t.Name)
	p.line("application", t.Application, maxName)
	p.text("description", t.Description, maxText)
	among(p, "integrationMethod", t.IntegrationMethod, REST)
	among(p, "authType", t.AuthType, authKinds...)
	t.checkMethods(p)
	t.checkHeaders(p)
	t.checkDefaults(p, limits)
	checkHosts(p, "allowedHosts", t.AllowedHosts)
	t.checkFields(p)
	t.checkVerify(p, limits)
	t.Limits.check(p, limits)
}

func (t *Template) checkMethods(p *problems) {
	if len(t.Methods) == 0 {
		p.add("methods", "required", "must name at least one of %s", joinWords(verbs))
	}
	for i, m := range t.Methods {
		if among(p, at("methods", i), m, verbs...) && slices.Contains(t.Methods[:i], m) {
			p.add(at("methods", i), "duplicate", "is listed twice")
		}
	}
}

func (t *Template) checkHeaders(p *problems) {
	p.count("headers", len(t.Headers), maxHeaders)
	for i, h := range t.Headers {
		path := at("headers", i)
		p.headerName(in(path, "name"), h.Name)
		among(p, in(path, "on"), h.On, OnAuth, OnRequest)
		p.text(in(path, "help"), h.Help, maxText)
		p.line(in(path, "default"), h.Default, maxText)
		for _, other := range t.Headers[:i] {
			if strings.EqualFold(other.Name, h.Name) && other.On == h.On {
				p.add(in(path, "name"), "duplicate", "is listed twice")
			}
		}
		if h.On == OnAuth && t.AuthType == AuthNone {
			p.add(in(path, "on"), "auth", "there is no authentication request with authType %q", AuthNone)
		}
	}
}

// headerName checks the name of a header that a definition sets.
func (p *problems) headerName(path, name string) {
	if err := egress.CheckHeaderName(name); err != nil {
		p.add(path, "header-name", "%v", err)
	} else if strings.EqualFold(name, "Content-Type") {
		p.add(path, "header-name", "must not be Content-Type, which is the media type of the body")
	}
}

// checkHosts notes host rules that cannot be read and returns the others.
func checkHosts(p *problems, path string, hosts []string) egress.Rules {
	p.count(path, len(hosts), maxHosts)
	var rules egress.Rules
	for i, h := range hosts {
		r, err := egress.ParseRule(h)
		if err != nil {
			p.add(at(path, i), "host", "%v", err)
			continue
		}
		rules = append(rules, r)
	}
	return rules
}

func (t *Template) checkFields(p *problems) {
	p.count("fields", len(t.Fields), maxFields)
	seen := map[string]bool{}
	for i := range t.Fields {
		f, path := &t.Fields[i], at("fields", i)
		p.refName(in(path, "key"), f.Key)
		if seen[f.Key] {
			p.add(in(path, "key"), "duplicate", "is listed twice")
		}
		seen[f.Key] = true
		f.check(p, path)
	}
	for i, f := range t.Fields {
		if c := f.VisibleWhen; c != nil && (!seen[c.Field] || c.Field == f.Key) {
			p.add(in(at("fields", i), "visibleWhen.field"), "unknown-reference", "must be the key of another field")
		}
	}
}

func (f *Field) check(p *problems, path string) {
	p.line(in(path, "title"), f.Title, maxName)
	p.text(in(path, "description"), f.Description, maxText)
	p.text(in(path, "pattern"), f.Pattern, maxText)
	if _, err := f.regexp(); err != nil {
		p.add(in(path, "pattern"), "regexp", "is not a regular expression that RE2 takes")
	}
	if f.Format != "" && formats[f.Format] == nil {
		p.add(in(path, "format"), "enum", "must be one of email, hostname, uri, uuid, date, integer")
	}
	p.count(in(path, "enum"), len(f.Enum), maxEnum)
	if f.Secret && f.Default != "" {
		p.add(in(path, "default"), "secret", "a secret cannot have a default: definitions are not sealed")
	}
	if f.Default != "" {
		f.checkValue(p, in(path, "default"), f.Default)
	}
	if f.VisibleWhen != nil && len(f.VisibleWhen.Values) == 0 {
		p.add(in(path, "visibleWhen.values"), "required", "must name at least one value")
	}
}

// checkValue notes why a variable's value does not fit its field.
func (f *Field) checkValue(p *problems, path, value string) {
	if len(f.Enum) > 0 && !slices.Contains(f.Enum, value) {
		p.add(path, "enum", "must be one of the %d values that the template's field allows", len(f.Enum))
	}
	if re, err := f.regexp(); err == nil && re != nil && !re.MatchString(value) {
		p.add(path, "pattern", "must match the pattern of the template's field")
	}
	if ok := formats[f.Format]; ok != nil && !ok(value) {
		p.add(path, "format", "must be of the format %q", f.Format)
	}
}

// regexp returns the compiled pattern, nil if there is none.
func (f *Field) regexp() (*regexp.Regexp, error) {
	if f.Pattern == "" {
		return nil, nil
	}
	if _, err := regexp.Compile(f.Pattern); err != nil { // a)|(b is none, until it stands in a group
		return nil, err
	}
	return regexp.Compile(`\A(?:` + f.Pattern + `)\z`)
}

// visible reports whether the form shows the field for these variables.
func (f *Field) visible(variable func(string) (string, bool)) bool {
	if f.VisibleWhen == nil {
		return true
	}
	v, _ := variable(f.VisibleWhen.Field)
	return slices.Contains(f.VisibleWhen.Values, v)
}

func (l *TemplateLimits) check(p *problems, host *Limits) {
	p.within("limits.timeout", l.Timeout, 0, millis(host.MaxTimeout), "milliseconds")
	p.within("limits.attempts", l.Attempts, 0, host.Attempts, "attempts")
	p.within("limits.concurrency", l.Concurrency, 0, maxConcurrency, "calls")
	l.RateLimit.check(p, "limits.rateLimit")
	if l.ResponseBytes < 0 || l.ResponseBytes > host.AnswerBytes {
		p.add("limits.responseBytes", "range", "must be from 0 to %d bytes", host.AnswerBytes)
	}
}

// millis is a duration as definitions write it.
func millis(d time.Duration) int { return int(min(d.Milliseconds(), 1<<31-1)) }
