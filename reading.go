package hub

import (
	"net/http"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/transport"
)

// reading is an answer as rules and outputs read it: what its body is is found out once.
type reading struct {
	*transport.Answer
	json bool          // the body is JSON that a parser may see
	deep bool          // it is nested too deep to be read
	head bool          // the body has not been read
	rule *responsePlan // the response rule that matched, nil if none did
}

// reading returns the last answer as it is read, nil if none came.
func (r *run) reading() *reading {
	a := r.outcome.Answer
	if a == nil {
		return nil
	}
	if r.read == nil || r.read.Answer != a {
		r.read = r.readAnswer(a)
	}
	return r.read
}

func (c *core) readAnswer(a *transport.Answer) *reading {
	out := &reading{Answer: a}
	out.json, out.deep = readable(a.Body, c.limits.AnswerDepth)
	return out
}

// headOf is an answer whose body belongs to somebody else.
func headOf(resp *http.Response) *reading {
	return &reading{Answer: &transport.Answer{Status: resp.StatusCode, Header: resp.Header}, head: true}
}

// get returns the value at a path of the body; one that does not exist if the body is not JSON.
func (a *reading) get(at string) gjson.Result {
	if !a.json {
		return gjson.Result{}
	}
	return path.Get(a.Body, at)
}

// asText is the text of b without a copy: nobody may change b while it is used.
func asText(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
