package hub

import (
	"net/http"
	"unsafe"

	"github.com/integrationhub/hub/internal/transport"
	"github.com/integrationhub/hub/internal/xmlpath"
)

// reading is an answer as rules and outputs read it: what its body is is found out once.
type reading struct {
	*transport.Answer
	json  bool                        // the body is JSON that a parser may see
	deep  bool                        // it is nested too deep to be read
	head  bool                        // the body has not been read
	depth int                         // how deep it may be nested
	found map[*xmlpath.Set][][]string // what XPaths lead to, once asked
	of    *run                        // of whose call it is; nil: there is nothing to mask
	shown []byte                      // the body without known secrets, once asked
	rule  *responsePlan               // the response rule that matched, nil if none did
}

// reading returns the last answer as it is read, nil if none came.
func (r *run) reading() *reading {
	a := r.outcome.Answer
	if a == nil {
		return nil
	}
	if r.read.Answer != a {
		r.read = r.readAnswer(a)
	}
	return &r.read
}

func (r *run) readAnswer(a *transport.Answer) reading {
	out := reading{Answer: a, depth: r.limits.AnswerDepth, of: r}
	out.json, out.deep = readable(a.Body, r.limits.AnswerDepth)
	return out
}

// text is the body as a definition may ask about it: as it is shown. What is asked of the body
// as it came tells whoever wrote the definition, guess by guess, a secret that it repeats.
func (a *reading) text() []byte {
	if a.of == nil {
		return a.Body
	}
	if a.shown == nil {
		a.shown = a.of.masked(a.Body, a.json || a.deep)
	}
	return a.shown
}

// asShown is a value of the header as text is the body.
func (a *reading) asShown(value string) string {
	if a.of == nil {
		return value
	}
	return a.of.scrubbers().String(value)
}

// headOf is an answer whose body has not been read, or belongs to somebody else.
func (r *run) headOf(status int, header http.Header) *reading {
	return &reading{Answer: &transport.Answer{Status: status, Header: header}, head: true, of: r}
}

// readResult is an answer as its outputs are read: masked.
func (r *run) readResult(res *Result) *reading {
	r.final = transport.Answer{Status: res.Status, Header: res.Header, Body: res.Body}
	return &reading{
		Answer: &r.final,
		json:   res.json, deep: res.deep, depth: r.limits.AnswerDepth, of: r, shown: res.Body,
	}
}

// asText is the text of b without a copy: nobody may change b while it is used.
func asText(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
