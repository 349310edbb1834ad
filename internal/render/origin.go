package render

import (
	"strings"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/ref"
)

// An origin is the scheme, host and port of a program: fixed, or built from variables, or taken from
// the authentication answer.
type origin struct {
	scheme string
	fixed  string // canonical host[:port]; empty: it has holes
	labels []slot // of a host with variables
	port   string // ":8443" or empty
	answer *slot  // one hole, [[@auth.path]]
}

// Origins returns the origin ("https://host[:port]") that the URL names, its variables filled in from
// vars; none if it comes from an authentication answer or a variable does not fit.
func (p *Program) Origins(vars func(name string) (string, bool)) []string {
	if p.origin.answer != nil {
		return nil
	}
	w := writer{v: Values{Variable: vars}, max: p.max}
	scheme, host, err := p.origin.render(&w)
	if err != nil {
		return nil
	}
	return []string{scheme + "://" + host}
}

// render returns the canonical scheme and host of one call.
func (o *origin) render(w *writer) (scheme, host string, err error) {
	switch {
	case o.answer != nil:
		return o.fromAnswer(w)
	case o.fixed != "":
		return o.scheme, o.fixed, nil
	}
	host, err = o.fromVariables(w)
	return o.scheme, host, err
}

func (o *origin) fromVariables(w *writer) (string, error) {
	start := len(w.buf)
	for i := range o.labels {
		if err := w.label(&o.labels[i]); err != nil {
			return "", err
		}
	}
	w.buf = append(w.buf, o.port...)
	_, host, ok := canonicalOrigin(o.scheme + "://" + string(w.buf[start:]))
	w.buf = w.buf[:start]
	if !ok {
		return "", &Fault{Path: "url", Rule: "bad-host", Message: "with its variables the host is not valid"}
	}
	return host, nil
}

// label writes one label of a host and, if it holds values, checks that it still is one.
func (w *writer) label(s *slot) error {
	start := len(w.buf) + len(s.prefix)
	if err := w.slot(s); err != nil {
		return err
	}
	if s.holes() && !validLabel(string(w.buf[start:])) {
		return &Fault{Path: "url", Rule: "bad-label", Message: "a variable in a host stands for one label: letters, digits and inner hyphens, at most 63, no dots"}
	}
	return nil
}

// validLabel reports whether s is a host label of letters, digits and inner hyphens (RFC 1123
// section 2.1), at most 63 bytes.
func validLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if b := s[i]; b == '.' || b == '_' || b == '~' || !unreserved(b) {
			return false
		}
	}
	return true
}

// fromAnswer takes the origin from the authentication answer: a whole one, without a path, that
// the caller admits.
func (o *origin) fromAnswer(w *writer) (string, string, error) {
	h := o.answer.pieces[0].hole
	v, err := w.resolve(o.answer, h)
	if err != nil {
		return "", "", err
	}
	if v.secret != "" {
		return "", "", o.answer.fault(h, "secret-in-host", "a secret cannot stand in a host")
	}
	scheme, host, ok := canonicalOrigin(strings.Clone(strings.TrimSuffix(v.result.Str, "/")))
	if !ok {
		return "", "", o.answer.fault(h, "bad-origin", "the authentication answer holds no origin (https://host) here")
	}
	if w.v.OriginAllowed == nil || !w.v.OriginAllowed(scheme+"://"+host) {
		return "", "", o.answer.fault(h, "origin-not-allowed", "the origin from the authentication answer is not among the allowed hosts")
	}
	w.came(v.source, h.ref.Text)
	return scheme, host, nil
}

// canonicalOrigin returns the parts of an origin without a path.
func canonicalOrigin(s string) (scheme, host string, ok bool) {
	u, err := egress.ParseURL(s)
	if err != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery {
		return "", "", false
	}
	return u.Scheme, u.Host, true
}

// origin compiles what stands before the path and returns the rest of the URL.
func (c *compiler) origin(segments []ref.Segment) (origin, []ref.Segment) {
	if len(segments) > 0 && segments[0].Kind == ref.Auth {
		return c.answerOrigin(segments)
	}
	scheme, rest, ok := cutScheme(segments)
	if !ok {
		c.badStart(segments)
		return origin{}, nil
	}
	authority, rest := splitAt(rest, "/?#")
	return c.authority(scheme, authority), rest
}

func (c *compiler) badStart(segments []ref.Segment) {
	if len(segments) > 0 && segments[0].Kind == ref.Payload {
		c.hostReference(segments[0])
		return
	}
	c.report("url", "bad-url", "a URL starts with https:// (or http://) and a host, or with [[@auth.path]] for an origin from the authentication answer")
}

// cutScheme cuts a literal "http://" or "https://" off.
func cutScheme(segments []ref.Segment) (string, []ref.Segment, bool) {
	if len(segments) == 0 || segments[0].Reference() {
		return "", nil, false
	}
	scheme, after, ok := strings.Cut(segments[0].Text, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "http" && scheme != "https" {
		return "", nil, false
	}
	return scheme, withFirst(after, segments[1:]), true
}

func (c *compiler) answerOrigin(segments []ref.Segment) (origin, []ref.Segment) {
	s := c.slot("url", "", segments[:1], plain)
	host, rest := splitAt(segments[1:], "/?#")
	if len(host) > 0 {
		c.report("url", "bad-url", "[[@auth.path]] at the start of a URL is the whole origin; a slash follows it")
	}
	return origin{answer: &s}, rest
}

func (c *compiler) authority(scheme string, segments []ref.Segment) origin {
	holes := false
	for _, s := range segments {
		if s.Reference() {
			holes = true
			c.hostReference(s)
		} else if strings.Contains(s.Text, "@") {
			c.report("url", "userinfo", "a URL holds no user name or password")
			return origin{}
		}
	}
	if !holes {
		return c.fixedOrigin(scheme, literalText(segments))
	}
	return c.variableOrigin(scheme, segments)
}

// hostReference reports references that cannot stand in a host.
func (c *compiler) hostReference(s ref.Segment) {
	switch s.Kind {
	case ref.Payload:
		c.report("url", "payload-in-host", s.String()+": a payload value cannot stand in a host")
	case ref.Auth:
		c.report("url", "auth-in-host", s.String()+": of the authentication answer only a whole origin can be used, at the start of the URL")
	case ref.Named:
		if c.isSecret(s.Text) {
			c.report("url", "secret-in-host", s.String()+": a secret cannot stand in a host")
		}
	}
}

func (c *compiler) fixedOrigin(scheme, authority string) origin {
	scheme, host, ok := canonicalOrigin(scheme + "://" + authority)
	if !ok {
		c.report("url", "bad-host", "the URL has no valid host")
	}
	return origin{scheme: scheme, fixed: host}
}

func (c *compiler) variableOrigin(scheme string, segments []ref.Segment) origin {
	host, port, found := cut(segments, ':')
	o := origin{scheme: scheme}
	if found {
		if len(port) != 1 || port[0].Reference() {
			c.report("url", "reference-in-port", "the port of a URL is a number")
			return origin{}
		}
		o.port = ":" + port[0].Text
	}
	for i, label := range split(host, '.') {
		s := c.slot("url", "", label, plain)
		if i > 0 {
			s.prefix = "."
		}
		o.labels = append(o.labels, s)
	}
	if len(c.problems) == 0 {
		c.tryHost(&o)
	}
	return o
}

// tryHost fills a host with the variables of today.
func (c *compiler) tryHost(o *origin) {
	w := writer{v: Values{Variable: c.scope.Variable}, max: DefaultMaxBytes}
	if _, err := o.fromVariables(&w); err != nil {
		f := err.(*Fault)
		c.report("url", f.Rule, f.Message)
	}
}
