package hub

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/render"
)

// dynamicPayload is the payload of a dynamic request; see DynamicPayloadSchema.
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
	wire, err := render.Dynamic(e, scope, v, func(name string, place render.Place) bool {
		return own[render.Sink{Secret: name, Place: whole(place)}] || r.plan.named(name, place)
	})
	return wire, p.blamed(err, e)
}

// blamed is err with a path into the payload, if what is wrong stands there and not in the
// request.
func (d *dynamicPayload) blamed(err error, e render.Envelope) error {
	var f *render.Fault
	if !errors.As(err, &f) || f.Unwrap() != nil {
		return err
	}
	if pointer := d.pointer(f.Path, e); pointer != "" {
		return invalid(pointer, f.Rule, faultText(f))
	}
	return err
}

// pointer turns a path of package render into one of the payload, empty if it leads to one of
// the request's own values. In e the payload's headers and parameters stand after those.
func (d *dynamicPayload) pointer(path string, e render.Envelope) string {
	part, index, _ := strings.Cut(path, "[")
	index, _, _ = strings.Cut(index, "]")
	last := func(list []render.Pair, own json.RawMessage) bool {
		i, err := strconv.Atoi(index)
		return err != nil || i >= len(list)-len(members(own))
	}
	switch {
	case part == "url" && d.URL != "":
		return "payload/url"
	case part == "mediaType" && d.MediaType != "":
		return "payload/mediaType"
	case (part == "body" || part == "form") && len(d.Body) > 0:
		return "payload/body"
	case part == "headers" && last(e.Headers, d.Headers):
		return "payload/headers"
	case part == "query" && last(e.Query, d.QueryParameters):
		return "payload/queryParameters"
	}
	return ""
}

// declares reports whether there is a secret of this name, set or not.
func (p *connectorPlan) declares(name string) bool {
	if p.secrets.get(name) != nil || slices.ContainsFunc(p.def.Secrets, func(s Secret) bool { return s.Name == name }) {
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
