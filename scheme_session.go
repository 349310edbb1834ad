package hub

import (
	"net/http"
	"time"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/oauth"
)

// session compiles how an answer carries a session, and how calls do.
func (k *compiler) session(s *Session) *scheme {
	s.check(&k.problems, "auth.session")
	c := &scheme{}
	if s.In == InHeader {
		c.headers = []string{http.CanonicalHeaderKey(s.Name)}
	}
	c.read = s.read
	c.attach = func(r *run, p *purse) (signer, error) {
		return nil, carry(r.wire, s.In, s.Name, s.Prefix+r.token(p))
	}
	return c
}

// read finds the session in the answer.
func (s *Session) read(r *run, res *Result) (*obtained, error) {
	text := s.find(r, res)
	if text == "" {
		return nil, failure(Unauthorized, "the authentication's answer carries no session where it should")
	}
	if egress.CheckHeaderValue(text) != nil {
		return nil, failure(Unauthorized, "the session cannot stand in a header")
	}
	o := &obtained{access: text}
	if res.json {
		o.answer = res.Body
	}
	o.ends = s.end(r, text)
	return o, nil
}

// find is the session. As with every path, what it is asked of is what is shown: it guesses no secret that
// the answer repeats.
func (s *Session) find(r *run, res *Result) string {
	switch {
	case s.AnswerHeader != "":
		return res.Header.Get(s.AnswerHeader)
	case s.AnswerCookie != "":
		for _, cookie := range (&http.Response{Header: res.Header}).Cookies() {
			if cookie.Name == s.AnswerCookie {
				return cookie.Value
			}
		}
		return ""
	default:
		if v := r.reading().own(bodyPath{text: s.Path}); v.Type == gjson.String || v.Type == gjson.Number {
			return scalarText(v)
		}
		return ""
	}
}

// end tells when the session ends; zero: it is not known.
func (s *Session) end(r *run, token string) time.Time {
	if s.Expires == nil {
		end, _ := oauth.ExpOf(token)
		return end
	}
	if s.Expires.Fixed > 0 {
		return r.asked().Add(time.Duration(s.Expires.Fixed) * time.Second)
	}
	end, _ := oauth.End(scalarText(r.reading().own(bodyPath{text: s.Expires.Path})), s.Expires.Form, r.asked())
	return end
}

// obtained is what an authentication's answer yielded.
type obtained struct {
	access, kind, refresh string
	ends                  time.Time // zero: expiresIn counts
	expiresIn             string    // as the answer writes it, in seconds
	answer                []byte    // JSON; nil: the answer is none
	extra                 map[string]string
}

// readOAuth reads the answer of RFC 6749 section 5.1.
func readOAuth(r *run, res *Result) (*obtained, error) { return readToken(r, res, "Bearer") }

func readToken(r *run, res *Result, kind string) (*obtained, error) {
	body := res.Body
	if !res.json {
		if converted, ok := oauth.FormToJSON(body); ok && !res.deep {
			body = converted
		} else {
			return nil, failure(Unauthorized, oauth.ErrNoToken.Error())
		}
	}
	t, err := oauth.ReadToken(body, kind)
	if err != nil {
		return nil, failure(Unauthorized, err.Error())
	}
	if egress.CheckHeaderValue(t.Access) != nil {
		return nil, failure(Unauthorized, "the access_token cannot stand in a header")
	}
	return &obtained{access: t.Access, kind: t.Type, refresh: t.Refresh, expiresIn: t.ExpiresIn, answer: body}, nil
}
