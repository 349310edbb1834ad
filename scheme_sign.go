package hub

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/render"
	"github.com/integrationhub/hub/internal/sign"
)

// signed is a text with fields of the request, whose literal parts are credentials.
type signed struct {
	path  string
	parts []sign.Part
	texts []*credential // :: position in parts → its literal text; nil for a field
}

// signed compiles a text of an HMAC.
func (s *scheme) signed(k *compiler, path, source string, place render.Place) *signed {
	parts, err := sign.Cut(source)
	if err != nil {
		k.add(path, "syntax", "%v", err)
		return nil
	}
	t := &signed{path: path, parts: parts, texts: make([]*credential, len(parts))}
	for i, part := range parts {
		if part.Field == "" {
			t.texts[i] = s.credential(k, path, part.Literal, place)
		}
	}
	return t
}

// fill expands the credentials of a text.
func (t *signed) fill(p *purse) []sign.Part {
	filled := make([]sign.Part, len(t.parts))
	for i, part := range t.parts {
		if part.Field == "" {
			part.Literal = p.take(t.texts[i])
		}
		filled[i] = part
	}
	return filled
}

// write writes a filled text for a request.
func write(parts []sign.Part, m *sign.Message) string {
	var b strings.Builder
	for _, part := range parts {
		b.WriteString(m.Value(part))
	}
	return b.String()
}

// late reports whether a text can be written only once the request is signed.
func (t *signed) late() bool {
	for _, part := range t.parts {
		if part.Field == "signature" {
			return true
		}
	}
	return false
}

// entry is a header or query parameter that an HMAC sets.
type entry struct {
	in   Carrier
	name string
	text *signed
}

// hmacScheme is an HMAC, compiled.
type hmacScheme struct {
	def       *HMAC
	key       *credential
	canonical *signed
	entries   []entry
}

func (k *compiler) hmac(h *HMAC) *scheme {
	h.check(&k.problems, "auth.hmac")
	before := len(k.list)
	s := &scheme{}
	c := &hmacScheme{def: h, key: s.credential(k, "auth.hmac.key", h.Key, signs)}
	c.canonical = s.signed(k, "auth.hmac.canonical", h.Canonical, signs)
	for i, header := range h.Headers {
		s.headers = append(s.headers, http.CanonicalHeaderKey(header.Name))
		path := in(at("auth.hmac.headers", i), "value")
		c.entries = append(c.entries, entry{InHeader, header.Name, s.signed(k, path, header.Value, placeOf(InHeader, header.Name))})
	}
	for i, param := range h.Query {
		path := at("auth.hmac.query", i)
		k.name(in(path, "name"), param.Name)
		c.entries = append(c.entries, entry{InQuery, param.Name, s.signed(k, in(path, "value"), param.Value, placeOf(InQuery, param.Name))})
	}
	if len(k.list) == before {
		s.attach = c.attach
	}
	return s
}

// filledEntry is an entry with its credentials.
type filledEntry struct {
	entry
	parts []sign.Part
}

// attach takes the credentials, once a call, and returns what signs each attempt with them.
func (c *hmacScheme) attach(r *run, p *purse) (signer, error) {
	text, canonical := p.take(c.key), c.canonical.fill(p)
	entries := make([]filledEntry, len(c.entries))
	for i, e := range c.entries {
		entries[i] = filledEntry{e, e.text.fill(p)}
	}
	if p.err != nil {
		return nil, p.err
	}
	if p.mask {
		return nil, c.show(r.wire, entries)
	}
	key, err := sign.Key(text, c.def.KeyEncoding)
	if err != nil {
		return nil, invalid(c.key.path, "key-encoding", err.Error())
	}
	return func(_ context.Context, _ int, out *http.Request) error {
		m := &sign.Message{
			Method: out.Method, URL: out.URL, Header: out.Header, Body: r.wire.Body,
			Timestamp: sign.Timestamp(c.def.Timestamp, r.opts.now()), Nonce: rand.Text(),
		}
		if err := put(out, entries, m, false); err != nil {
			return err
		}
		var err error
		m.Signature, err = sign.HMAC(c.def.Algorithm, c.def.Encoding, key, write(canonical, m))
		if err != nil {
			return failure(Unauthorized, err.Error())
		}
		r.sends("auth.hmac", m.Signature)
		return put(out, entries, m, true)
	}, nil
}

// put sets the entries of a request: those that hold the signature, or those that do not.
func put(out *http.Request, entries []filledEntry, m *sign.Message, late bool) error {
	wire := &render.Request{URL: out.URL, Header: out.Header}
	for _, e := range entries {
		if e.text.late() != late {
			continue
		}
		text := write(e.parts, m)
		if e.in == InHeader && egress.CheckHeaderValue(text) != nil {
			return invalid(e.text.path, "header-value", "its value cannot stand in a header")
		}
		if err := carry(wire, e.in, e.name, text); err != nil {
			return err
		}
	}
	return nil
}

// show puts the entries into a plan, their fields as they are written.
func (c *hmacScheme) show(wire *render.Request, entries []filledEntry) error {
	for _, e := range entries {
		var b strings.Builder
		for _, part := range e.parts {
			if b.WriteString(part.Literal); part.Field != "" {
				b.WriteString("{" + part.Field + "}")
			}
		}
		if err := carry(wire, e.in, e.name, b.String()); err != nil {
			return err
		}
	}
	return nil
}

func (k *compiler) aws(a *AWS) *scheme {
	a.check(&k.problems, "auth.aws")
	s := &scheme{headers: []string{"Authorization", "X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token"}}
	id := s.credential(k, "auth.aws.accessKeyId", a.AccessKeyID, atAuthorization)
	key := s.credential(k, "auth.aws.secretAccessKey", a.SecretAccessKey, signs)
	session := s.credential(k, "auth.aws.sessionToken", a.SessionToken, "header:X-Amz-Security-Token")
	s.attach = func(r *run, p *purse) (signer, error) {
		aws := &sign.AWS{
			AccessKey: p.header(id), SecretKey: p.take(key), SessionToken: p.header(session), Region: a.Region, Service: a.Service,
		}
		if p.err != nil {
			return nil, p.err
		}
		if p.mask {
			r.wire.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+aws.AccessKey+", Signature={signature}")
			return nil, nil
		}
		return func(_ context.Context, _ int, out *http.Request) error {
			if err := aws.Sign(out, r.wire.Body, r.opts.now()); err != nil {
				return failure(Invalid, "the call cannot be signed: "+err.Error())
			}
			_, signature, _ := strings.Cut(out.Header.Get("Authorization"), "Signature=")
			r.sends("auth.aws", signature)
			return nil
		}, nil
	}
	return s
}
