package hub

import (
	"strings"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/oauth"
	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/sign"

	"github.com/integrationhub/hub/internal/token"
)

// member is the part of an Auth that a kind uses.
type member struct {
	name  string
	given bool
	kinds func(AuthKind) bool
}

func (a *Auth) members() []member {
	is := func(kinds ...AuthKind) func(AuthKind) bool {
		return func(k AuthKind) bool {
			for _, kind := range kinds {
				if k == kind {
					return true
				}
			}
			return false
		}
	}
	return []member{
		{"request", a.Request != nil, is(AuthOAuth2, AuthSession)},
		{"apiKey", a.APIKey != nil, is(AuthAPIKey)},
		{"basic", a.Basic != nil, is(AuthBasic)},
		{"bearer", a.Bearer != nil, is(AuthBearer)},
		{"oauth", a.OAuth != nil, AuthKind.grants},
		{"session", a.Session != nil, is(AuthSession)},
		{"hmac", a.HMAC != nil, is(AuthHMAC)},
		{"aws", a.AWS != nil, is(AuthAWS)},
	}
}

// grants reports whether a kind is an OAuth 2.0 grant that OAuth describes.
func (kind AuthKind) grants() bool { return strings.HasPrefix(string(kind), "oauth2-") }

// checkMembers notes members that do not belong to the kind.
func (a *Auth) checkMembers(p *problems) {
	for _, m := range a.members() {
		if m.given && !m.kinds(a.Kind) {
			p.add("auth."+m.name, "auth", "does not belong to the authType %q", a.Kind)
		}
	}
}

// undefined lists the members that the kind needs and that are not there yet.
func (a *Auth) undefined() []FieldError {
	var list []FieldError
	for _, m := range a.members() {
		if !m.given && m.kinds(a.Kind) {
			list = append(list, FieldError{Path: "auth." + m.name, Rule: "required", Message: "the authentication is not defined yet"})
		}
	}
	return list
}

// carrier checks what carries a key or token.
func (p *problems) carrier(path string, c Carrier, name string) {
	among(p, in(path, "in"), c, InHeader, InQuery, InCookie)
	switch {
	case name == "":
		p.add(in(path, "name"), "required", "must not be empty")
	case c == InHeader:
		p.headerName(in(path, "name"), name)
	case c == InCookie && egress.CheckHeaderName("X-"+name) != nil:
		p.add(in(path, "name"), "cookie-name", "must be a token of RFC 9110")
	default:
		p.line(in(path, "name"), name, maxName)
	}
}

func (s *Session) check(p *problems, path string) {
	given := 0
	for _, source := range []string{s.Path, s.AnswerHeader, s.AnswerCookie} {
		if source != "" {
			given++
		}
	}
	if given != 1 {
		p.add(path, "required", "one of path, answerHeader and answerCookie must say where the answer carries the token")
	}
	p.resultPath(in(path, "path"), s.Path)
	if s.AnswerHeader != "" {
		p.headerName(in(path, "answerHeader"), s.AnswerHeader)
	}
	p.line(in(path, "answerCookie"), s.AnswerCookie, maxName)
	p.line(in(path, "prefix"), s.Prefix, maxName)
	p.carrier(path, s.In, s.Name)
	if e := s.Expires; e != nil {
		p.resultPath(in(path, "expires.path"), e.Path)
		if e.Path != "" {
			among(p, in(path, "expires.form"), e.Form, oauth.Forms...)
		}
		if (e.Path == "") == (e.Fixed == 0) {
			p.add(in(path, "expires"), "required", "either path or fixed must say when the session ends")
		}
		p.within(in(path, "expires.fixed"), e.Fixed, 0, int(token.LongestLife.Seconds()), "seconds")
	}
}

// resultPath checks an optional path into an answer.
func (p *problems) resultPath(at, text string) {
	if text == "" {
		return
	}
	if err := path.Check(text, path.Result); err != nil {
		p.add(at, "path", "%v", err)
	}
}

func (h *HMAC) check(p *problems, path string) {
	word := func(name, value string, ok bool, words string) {
		if !ok {
			p.add(in(path, name), "enum", "must be one of %s", words)
		}
	}
	word("keyEncoding", h.KeyEncoding, h.KeyEncoding == "text" || sign.IsEncoding(h.KeyEncoding), `"text", "hex", "base64", "base64url"`)
	word("algorithm", h.Algorithm, sign.IsAlgorithm(h.Algorithm), `"sha256", "sha384", "sha512", "sha1"`)
	word("encoding", h.Encoding, sign.IsEncoding(h.Encoding), `"hex", "base64", "base64url"`)
	word("timestamp", h.Timestamp, sign.IsTimestamp(h.Timestamp), `"unix", "unix-ms", "rfc3339", "http"`)
	if h.Canonical == "" {
		p.add(in(path, "canonical"), "required", "must not be empty")
	}
	p.text(in(path, "canonical"), h.Canonical, maxText)
	p.headers(in(path, "headers"), h.Headers)
	p.count(in(path, "query"), len(h.Query), maxParams)
	signed := false
	for _, header := range h.Headers {
		signed = signed || strings.Contains(header.Value, "{signature}")
	}
	for _, param := range h.Query {
		signed = signed || strings.Contains(param.Value, "{signature}")
	}
	if !signed {
		p.add(in(path, "headers"), "required", "a header or query parameter must carry {signature}")
	}
	if strings.Contains(h.Canonical, "{signature}") {
		p.add(in(path, "canonical"), "signature", "a signature cannot sign itself")
	}
}

func (s *AWS) check(p *problems, path string) {
	for _, f := range [][2]string{{"region", s.Region}, {"service", s.Service}} {
		if f[1] == "" {
			p.add(in(path, f[0]), "required", "must not be empty")
		} else if !idPattern.MatchString(f[1]) {
			p.add(in(path, f[0]), "pattern", "must be 1 to 64 of a-z, 0-9, _ and -")
		}
	}
}
