package hub

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/render"
)

// render is the step that puts values into the call. A call that refers to the
// authentication's answer is authorized first.
func (r *run) render(ctx context.Context) (err error) {
	if r.req.program != nil && r.req.program.UsesAuth() {
		if err := r.authorize(ctx); err != nil {
			return err
		}
	}
	r.wire, err = r.expand(r.values())
	if err != nil {
		return err
	}
	r.req.complete(r.wire)
	return r.compose(ctx)
}

// values are what a call puts in.
func (r *run) values() render.Values {
	v := render.Values{
		Payload:       r.call.Payload,
		Variable:      r.plan.variable,
		Secret:        r.plan.secret,
		AuthSecret:    r.isToken,
		OriginAllowed: r.plan.allowsOrigin,
	}
	if r.grant != nil {
		v.Auth = r.grant.Answer
	}
	return v
}

// expand renders a call that is configured, or one that its payload describes.
func (r *run) expand(v render.Values) (*render.Request, error) {
	var wire *render.Request
	var err error
	if r.req.def.PayloadMode == PayloadDynamic {
		wire, err = r.dynamic(v)
	} else {
		wire, err = r.req.program.Render(v)
	}
	return wire, r.req.fault(err)
}

// fault turns what rendering says into an error of the hub.
func (p *requestPlan) fault(err error) error {
	var f *render.Fault
	if err == nil || !errors.As(err, &f) {
		return err
	}
	var own *Error
	if errors.As(f.Unwrap(), &own) {
		return own
	}
	message := f.Message
	if f.Reference != "" {
		message = quote(f.Reference) + ": " + message
	}
	return invalid(definitionPath(p.path, f.Path, p.headerPaths), f.Rule, message)
}

// complete adds what every request carries.
func (p *requestPlan) complete(wire *render.Request) {
	if wire.Header == nil {
		wire.Header = http.Header{}
	}
	if wire.Header.Get("User-Agent") == "" {
		wire.Header.Set("User-Agent", userAgent)
	}
}

const userAgent = "integrationhub"

// isToken reports whether the value at a path of the authentication answer is secret: by the
// path, or because there is something secret in it, however the path is spelt.
func (r *run) isToken(at string) bool {
	if isToken(at) || r.grant == nil {
		return isToken(at)
	}
	found := false
	value := path.Get(r.grant.Answer, at)
	eachText(value, at, func(name, text string) {
		_, n := r.grant.scrubber.String(text)
		found = found || n > 0 || isToken(name)
	})
	return found
}

// isToken reports whether a member of an authentication answer is secret by its name, the
// last of a path.
func isToken(path string) bool {
	name := strings.ToLower(path[strings.LastIndexByte(path, '.')+1:])
	return strings.Contains(name, "token") && name != "token_type" ||
		strings.Contains(name, "secret") || strings.Contains(name, "password") || strings.Contains(name, "assertion")
}

// envelope is the payload of a dynamic request; see DynamicPayloadSchema.
type dynamicPayload struct {
	URL             string          `json:"url"`
	Method          string          `json:"method"`
	Headers         json.RawMessage `json:"headers"`
	QueryParameters json.RawMessage `json:"queryParameters"`
	MediaType       string          `json:"mediaType"`
	Body            json.RawMessage `json:"body"`
}

// dynamic renders the call that a payload describes over the request's own values.
func (r *run) dynamic(v render.Values) (*render.Request, error) {
	var p dynamicPayload
	if err := json.Unmarshal(r.call.Payload, &p); err != nil {
		return nil, invalid("payload", "json", "does not describe a call")
	}
	e, own := r.req.envelope(p)
	if e.URL == "" {
		return nil, invalid("payload/url", "required", "neither the payload nor the request names a URL")
	}
	if !slices.Contains(r.plan.tpl.Methods, e.Method) {
		return nil, invalid("payload/method", "enum", "must be one of the template's verbs: "+joinWords(r.plan.tpl.Methods))
	}
	scope := render.Scope{
		Variable: r.plan.variable,
		Secret:   r.plan.declares,
		MaxBytes: r.limits.RequestBytes,
	}
	return render.Dynamic(e, scope, v, func(name string, place render.Place) bool {
		return own[render.Sink{Secret: name, Place: whole(place)}] || r.plan.named(name, place)
	})
}

// declares reports whether there is a secret of this name, set or not.
func (p *connectorPlan) declares(name string) bool {
	if p.secrets[name] != nil || slices.ContainsFunc(p.def.Secrets, func(s Secret) bool { return s.Name == name }) {
		return true
	}
	return slices.ContainsFunc(p.tpl.Fields, func(f Field) bool { return f.Key == name && f.Secret })
}

// envelope lays a payload over the request's own values, and tells which secrets stand where
// the request's author put them: those may, one in a script's text only where its binding
// says so.
func (p *requestPlan) envelope(d dynamicPayload) (render.Envelope, map[render.Sink]bool) {
	r, headers, query := &p.def, members(d.Headers), members(d.QueryParameters)
	e := render.Envelope{Method: r.Method, URL: r.URL, MediaType: r.MediaType, Body: r.bodyJSON()}
	if d.Method != "" {
		e.Method = d.Method
	}
	if d.URL != "" {
		e.URL = d.URL
	}
	if d.MediaType != "" {
		e.MediaType = d.MediaType
	}
	if len(d.Body) > 0 {
		e.Body = d.Body
	}
	e.Headers = overlay(p.headers, headers, strings.EqualFold)
	e.Query = overlay(pairs(r.Query), query, exactly)
	own := map[render.Sink]bool{}
	for _, sink := range p.program.Secrets() {
		if !d.replaces(r, sink.Place, headers, query) {
			own[render.Sink{Secret: sink.Secret, Place: whole(sink.Place)}] = true
		}
	}
	return e, own
}

// replaces reports whether a payload puts something of its own where the request has a
// secret.
func (d *dynamicPayload) replaces(r *Request, place render.Place, headers, query []render.Pair) bool {
	kind, name, _ := strings.Cut(string(place), ":")
	switch kind {
	case "header":
		return hasPair(headers, name, strings.EqualFold)
	case "query":
		return hasPair(query, name, exactly) || d.URL != "" && !hasPair(pairs(r.Query), name, exactly)
	case "path":
		return d.URL != ""
	default:
		return len(d.Body) > 0
	}
}

// overlay replaces the pairs of a list that another one names, and adds the rest.
func overlay(list, over []render.Pair, same func(a, b string) bool) []render.Pair {
	var merged []render.Pair
	for _, p := range list {
		if !hasPair(over, p.Name, same) {
			merged = append(merged, p)
		}
	}
	return append(merged, over...)
}

func hasPair(list []render.Pair, name string, same func(a, b string) bool) bool {
	return slices.ContainsFunc(list, func(p render.Pair) bool { return same(p.Name, name) })
}

func exactly(a, b string) bool { return a == b }

// whole is the place of a body for every place inside it.
func whole(place render.Place) render.Place {
	if strings.HasPrefix(string(place), "body:") || strings.HasPrefix(string(place), "form:") {
		return "body"
	}
	return place
}

// bodyJSON is the request's own body as an envelope holds it: JSON as it is, text as a string.
func (r *Request) bodyJSON() []byte {
	if r.Body == "" {
		return nil
	}
	data, err := json.Marshal(r.Body)
	if err != nil { // a string: cannot happen
		return nil
	}
	return data
}

// members reads headers or query parameters of a payload: an object, in the order written,
// or a list of names and values.
func members(data json.RawMessage) []render.Pair {
	var list []render.Pair
	gjson.ParseBytes(data).ForEach(func(key, value gjson.Result) bool {
		if value.IsObject() {
			key, value = value.Get("name"), value.Get("value")
		}
		list = append(list, render.Pair{Name: key.String(), Value: scalarText(value)})
		return true
	})
	return list
}

// scalarText is a scalar as text, a number digit by digit.
func scalarText(v gjson.Result) string {
	if v.Type == gjson.String {
		return v.Str
	}
	return v.Raw
}
