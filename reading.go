package hub

import (
	"net/http"
	"unsafe"

	"github.com/integrationhub/hub/internal/scrub"
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
	known func() scrub.Set            // mask what XPaths lead to; nil: it is not shown
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

func (c *core) readAnswer(a *transport.Answer) reading {
	out := reading{Answer: a, depth: c.limits.AnswerDepth}
	out.json, out.deep = readable(a.Body, c.limits.AnswerDepth)
	return out
}

// headOf is an answer whose body belongs to somebody else.
func headOf(resp *http.Response) *reading {
	return &reading{Answer: &transport.Answer{Status: resp.StatusCode, Header: resp.Header}, head: true}
}

// readResult is an answer as its outputs are read: masked.
func (r *run) readResult(res *Result) *reading {
	return &reading{
		Answer: &transport.Answer{Status: res.Status, Header: res.Header, Body: res.Body},
		json:   res.json, deep: res.deep, depth: r.limits.AnswerDepth, known: r.scrubbers,
	}
}

// asText is the text of b without a copy: nobody may change b while it is used.
func asText(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
