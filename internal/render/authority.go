package render

import (
	"strings"

	"github.com/integrationhub/hub/internal/ref"
)

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
