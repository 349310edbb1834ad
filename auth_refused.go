package hub

import (
	"net/http"
	"slices"

	"github.com/integrationhub/hub/internal/path"
)

// TokenRefusal tells an answer that means: the token is no longer good. What is given must
// all hold: {"statuses": ["200"], "path": "errcode", "values": ["40001", "42001"]}.
type TokenRefusal struct {
	// Statuses of the answer: 403, 400-403, 4xx. Empty: any.
	Statuses []string `json:"statuses,omitempty"`
	// Header names a header that the answer has, with one of HeaderValues if there are any.
	Header       string   `json:"header,omitempty"`
	HeaderValues []string `json:"headerValues,omitempty"`
	// Path (gjson) leads to a value of a JSON answer, which is one of Values if there are
	// any; numbers are compared as they are written.
	Path   string   `json:"path,omitempty"`
	Values []string `json:"values,omitempty"`
}

// refusalPlan is a TokenRefusal compiled.
type refusalPlan struct {
	statuses statusSet
	TokenRefusal
}

// maxRefusals bounds the refusals of a connector, and the values of each.
const maxRefusals = 20

// refusals compiles what means that a token is refused, beside status 401.
func (k *compiler) refusals() {
	const at0 = "auth.refused"
	k.count(at0, len(k.con.Auth.Refused), maxRefusals)
	for i, r := range k.con.Auth.Refused {
		k.plan.refusals = append(k.plan.refusals, k.refusal(at(at0, i), r))
	}
}

func (k *compiler) refusal(at string, r TokenRefusal) refusalPlan {
	out := refusalPlan{TokenRefusal: r}
	if len(r.Statuses) > 0 {
		out.statuses = k.statuses(in(at, "statuses"), r.Statuses)
	}
	k.count(in(at, "headerValues"), len(r.HeaderValues), maxRefusals)
	k.count(in(at, "values"), len(r.Values), maxRefusals)
	if r.Header != "" {
		k.headerName(in(at, "header"), r.Header)
	} else if len(r.HeaderValues) > 0 {
		k.add(in(at, "header"), "required", "must name the header that has one of headerValues")
	}
	if r.Path != "" {
		if err := path.Check(r.Path, path.Result); err != nil {
			k.add(in(at, "path"), "path", "%v", err)
		}
	} else if len(r.Values) > 0 {
		k.add(in(at, "path"), "required", "must lead to what has one of values")
	}
	if len(r.Statuses) == 0 && r.Header == "" && r.Path == "" {
		k.add(at, "required", "must name statuses, a header or a path: it would match every answer")
	}
	return out
}

// refuses reports whether an answer means that the token is refused. body is nil unless it is
// JSON that may be read.
func (p *connectorPlan) refuses(status int, header http.Header, body []byte) bool {
	if status == http.StatusUnauthorized {
		return true
	}
	return slices.ContainsFunc(p.refusals, func(r refusalPlan) bool {
		return (r.statuses == nil || r.statuses.has(status)) && r.inHeader(header) && r.inBody(body)
	})
}

func (r *TokenRefusal) inHeader(header http.Header) bool {
	if r.Header == "" {
		return true
	}
	values := header.Values(r.Header)
	if len(r.HeaderValues) == 0 {
		return len(values) > 0
	}
	return slices.ContainsFunc(values, func(v string) bool { return slices.Contains(r.HeaderValues, v) })
}

func (r *TokenRefusal) inBody(body []byte) bool {
	if r.Path == "" {
		return true
	}
	v := path.Get(body, r.Path)
	if !v.Exists() || len(r.Values) == 0 {
		return v.Exists()
	}
	return slices.Contains(r.Values, scalarText(v))
}
