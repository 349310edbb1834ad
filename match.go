package hub

import (
	"mime"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/integrationhub/hub/internal/xmlpath"
)

// AnswerMatch tells some answers from others. What is given must all hold:
//
//	{"statuses": ["200"], "path": "errcode", "values": ["40001", "42001"]}
type AnswerMatch struct {
	// Statuses of the answer: 403, 400-403, 4xx. Empty: any.
	Statuses []string `json:"statuses,omitempty"`
	// MediaTypes of the answer, without parameters: application/json, text/*. Empty: any.
	MediaTypes []string `json:"mediaTypes,omitempty"`
	// Header names a header that the answer has, with one of HeaderValues if there are
	// any; with HeaderAbsent, one that it has not.
	Header       string   `json:"header,omitempty"`
	HeaderValues []string `json:"headerValues,omitempty"`
	HeaderAbsent bool     `json:"headerAbsent,omitempty"`
	// Path leads to a value of the answer's body as [Output].Path does, which is one of
	// Values if there are any; numbers are compared as they are written. With Absent it leads
	// to nothing, as it does in an answer that cannot be read.
	Path   string   `json:"path,omitempty"`
	Values []string `json:"values,omitempty"`
	Absent bool     `json:"absent,omitempty"`
	// Contains is a text that stands somewhere in the body, whatever its media type. Of known
	// secrets neither it nor Path nor HeaderValues finds more than the [Result] shows.
	Contains string `json:"contains,omitempty"`
}

// maxMatches bounds the matches of a list, and the values of each.
const maxMatches = 20

// matchPlan is an AnswerMatch compiled.
type matchPlan struct {
	statuses statusSet // nil: any
	path     bodyPath
	AnswerMatch
}

// empty reports whether m matches every answer.
func (m *AnswerMatch) empty() bool {
	return len(m.Statuses)+len(m.MediaTypes) == 0 && m.Header == "" && m.Path == "" && m.Contains == ""
}

// match compiles m; XPaths become part of set.
func (p *problems) match(at string, m AnswerMatch, set *xmlpath.Set) matchPlan {
	out := matchPlan{AnswerMatch: m}
	if len(m.Statuses) > 0 {
		out.statuses = p.statuses(in(at, "statuses"), m.Statuses)
	}
	out.MediaTypes = p.mediaRanges(in(at, "mediaTypes"), m.MediaTypes)
	p.count(in(at, "headerValues"), len(m.HeaderValues), maxMatches)
	p.count(in(at, "values"), len(m.Values), maxMatches)
	p.text(in(at, "contains"), m.Contains, maxForeign)
	if m.Header != "" {
		p.fieldName(in(at, "header"), m.Header)
	} else if len(m.HeaderValues) > 0 || m.HeaderAbsent {
		p.add(in(at, "header"), "required", "must name the header that headerValues and headerAbsent speak of")
	}
	if m.Path != "" {
		out.path = p.bodyPath(in(at, "path"), m.Path, set, true)
	} else if len(m.Values) > 0 || m.Absent {
		p.add(in(at, "path"), "required", "must lead to what values and absent speak of")
	}
	if m.HeaderAbsent && len(m.HeaderValues) > 0 {
		p.add(in(at, "headerValues"), "absent", "a header that is absent has no values")
	}
	if m.Absent && len(m.Values) > 0 {
		p.add(in(at, "values"), "absent", "what is absent has no values")
	}
	return out
}

// fieldName checks the name of an answer's header.
func (p *problems) fieldName(path, name string) {
	if !httpguts.ValidHeaderFieldName(name) {
		p.add(path, "header-name", "must be a token of RFC 9110")
	}
}

// mediaRanges reads media types of answers, in lower case: type/subtype or type/*.
func (p *problems) mediaRanges(path string, list []string) []string {
	p.count(path, len(list), maxMatches)
	var out []string
	for i, text := range list {
		kind, params, err := mime.ParseMediaType(text)
		if err != nil || len(params) > 0 || strings.Count(kind, "/") != 1 || strings.HasPrefix(kind, "*") {
			p.add(at(path, i), "media-type", "must be a media type without parameters: application/json, or text/*")
			continue
		}
		out = append(out, kind)
	}
	return out
}

// matches reports whether an answer is one that m tells.
func (m *matchPlan) matches(a *reading) bool {
	return (m.statuses == nil || m.statuses.has(a.Status)) && m.inHeader(a) && m.inMediaTypes(a.Header) &&
		m.inBody(a) && (m.Contains == "" || strings.Contains(asText(a.text()), m.Contains))
}

func (m *matchPlan) inMediaTypes(header http.Header) bool {
	if len(m.MediaTypes) == 0 {
		return true
	}
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	main, _, _ := strings.Cut(kind, "/")
	return slices.Contains(m.MediaTypes, kind) || slices.Contains(m.MediaTypes, main+"/*")
}

func (m *matchPlan) inHeader(a *reading) bool {
	if m.Header == "" {
		return true
	}
	values := a.Header.Values(m.Header)
	if len(m.HeaderValues) == 0 {
		return len(values) > 0 != m.HeaderAbsent
	}
	return slices.ContainsFunc(values, func(v string) bool { return slices.Contains(m.HeaderValues, a.asShown(v)) })
}

func (m *matchPlan) inBody(a *reading) bool {
	switch {
	case m.Path == "":
		return true
	case a.head:
		return false
	}
	found := a.texts(m.path)
	if len(m.Values) == 0 {
		return len(found) > 0 != m.Absent
	}
	return slices.ContainsFunc(found, func(v string) bool { return slices.Contains(m.Values, v) })
}

// refusals compiles what means that a token is refused, beside status 401.
func (k *compiler) refusals() {
	const at0 = "auth.refused"
	k.count(at0, len(k.con.Auth.Refused), maxMatches)
	for i, m := range k.con.Auth.Refused {
		if m.empty() {
			k.add(at(at0, i), "required", "must name statuses, media types, a header, a path or a text: it would match every answer")
		}
		k.plan.refusals = append(k.plan.refusals, k.match(at(at0, i), m, &k.plan.xpaths))
	}
}

// refuses reports whether an answer means that the token is refused.
func (p *connectorPlan) refuses(a *reading) bool {
	return a.Status == http.StatusUnauthorized ||
		slices.ContainsFunc(p.refusals, func(m matchPlan) bool { return m.matches(a) })
}
