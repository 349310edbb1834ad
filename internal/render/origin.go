package render

import (
	"strings"

	"github.com/integrationhub/hub/internal/egress"
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
	text := string(w.buf[start:])
	w.buf = w.buf[:start]
	if egress.PlainName(text) {
		return text, nil
	}
	_, host, ok := canonicalOrigin(o.scheme + "://" + text)
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
