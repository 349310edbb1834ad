package hub

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/render"
)

// credential is a text of Auth, compiled. Its references are expanded at each use, for its
// place in what is sent.
type credential struct {
	program *render.Program
	path    string // of the definition
	place   render.Place
}

// signs is the place of secrets that sign and are not sent.
const signs render.Place = "auth"

// credential compiles a text of Auth; nil if it has problems.
func (k *compiler) credential(path, source string, place render.Place) *credential {
	d := render.Definition{Method: http.MethodPost, URL: "https://example.com", MediaType: "text/plain", Body: source}
	program, found := render.Compile(d, k.scope(false, false))
	for _, f := range found {
		k.add(path, f.Rule, "%s", f.Message)
	}
	if len(found) > 0 {
		return nil
	}
	c := &credential{program: program, path: path, place: place}
	for _, sink := range c.sinks() {
		if !allowsPlace(k.con.secret(sink.Secret).Places, place, true) {
			k.add(path, "secret-place", "secret %s may not stand at %s: its places do not list it", quote(sink.Secret), quote(string(place)))
		}
	}
	return c
}

// sinks lists the secrets of a credential, and where they stand.
func (c *credential) sinks() []render.Sink {
	list := c.program.Secrets()
	for i := range list {
		list[i].Place = c.place
	}
	return list
}

// purse expands the credentials of one request, and notes which secrets it took where. After
// the first error it only yields empty texts.
type purse struct {
	plan    *connectorPlan
	mask    bool            // references stand for the values of secrets and tokens
	scratch *render.Scratch // to expand on; nil: new memory
	sinks   []render.Sink
	err     error
}

// take returns the text of a credential; of none it is empty.
func (p *purse) take(c *credential) string {
	if c == nil || p.err != nil {
		return ""
	}
	values := p.plan.lookUp.values()
	values.Mask, values.Scratch = p.mask, p.scratch
	text, sinks, err := c.program.Text(values)
	if err != nil {
		p.err = c.fault(err)
		return ""
	}
	for _, sink := range sinks {
		p.sinks = append(p.sinks, render.Sink{Secret: sink.Secret, Place: c.place})
	}
	return text
}

// header returns the text of a credential that becomes part of a header or cookie.
func (p *purse) header(c *credential) string {
	text := p.take(c)
	if p.err == nil && egress.CheckHeaderValue(text) != nil {
		p.err = invalid(c.path, "header-value", "its value holds control characters, or is not UTF-8: set it again")
		return ""
	}
	return text
}

// fault turns what rendering says into an error of the hub.
func (c *credential) fault(err error) error {
	var f *render.Fault
	var own *Error
	switch {
	case !errors.As(err, &f):
		return err
	case errors.As(f.Unwrap(), &own):
		return own
	default:
		return invalid(c.path, f.Rule, quote(f.Reference)+": "+f.Message)
	}
}

// carry puts a text into a header, query parameter or cookie of a call.
func carry(wire *render.Request, in Carrier, name, text string) error {
	switch in {
	case InQuery:
		if wire.URL.RawQuery != "" {
			query, err := url.ParseQuery(wire.URL.RawQuery)
			if err == nil && query.Has(name) {
				return failure(Forbidden, "query parameter "+quote(name)+" is set by the connector's authentication")
			}
			wire.URL.RawQuery += "&"
		}
		wire.URL.RawQuery += url.QueryEscape(name) + "=" + url.QueryEscape(text)
	case InCookie:
		cookie := &http.Cookie{Name: name, Value: text}
		if cookie.Valid() != nil {
			return failure(Unauthorized, "the credential cannot stand in a cookie")
		}
		if before := wire.Header.Get("Cookie"); before != "" {
			wire.Header.Set("Cookie", before+"; "+cookie.String())
			return nil
		}
		wire.Header.Set("Cookie", cookie.String())
	default:
		wire.Set(http.CanonicalHeaderKey(name), text)
	}
	return nil
}

// placeOf names a carrier as secrets' places do.
func placeOf(in Carrier, name string) render.Place {
	switch in {
	case InQuery:
		return render.Place("query:" + name)
	case InCookie:
		return "header:Cookie"
	default:
		return render.Place("header:" + http.CanonicalHeaderKey(name))
	}
}
