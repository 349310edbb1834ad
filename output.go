package hub

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/payload"
)

// Output is a value taken from a successful answer.
type Output struct {
	// From is the part of the answer that has the value; FromBody if empty.
	From OutputSource `json:"from,omitempty"`
	// Path leads to the value. In a JSON body it is a gjson path: result.number, items.#.id,
	// items.#(state=="open").id. One that begins with a slash leads into an XML body, by
	// names without prefix: /order/item[2]/@id, //item[@state='open']/number. Of a header
	// it is the name. A status has none.
	Path string `json:"path,omitempty"`
	// Type is what the value must be. Empty: whatever it is; what comes from XML or a header is
	// a text. A number in quotes stays a text unless Type says that it is a number.
	Type OutputType `json:"type,omitempty"`
	// Default is the value if there is none.
	Default json.RawMessage `json:"default,omitempty"`
	// Optional leaves the output out if there is neither a value nor a Default; otherwise
	// that is an error.
	Optional bool `json:"optional,omitempty"`
}

// OutputSource is the part of an answer that has an output.
type OutputSource string

// The sources.
const (
	FromBody   OutputSource = "body"
	FromHeader OutputSource = "header"
	FromStatus OutputSource = "status"
)

// OutputType is what an output must be. With a type, null is no value.
type OutputType string

// The types.
const (
	// OutputString: a text; a number or truth value is taken as it is written.
	OutputString OutputType = "string"
	// OutputNumber: a number, or a text that is written like one.
	OutputNumber OutputType = "number"
	// OutputInteger: likewise, without fraction or exponent; 3.0 is taken as 3.
	OutputInteger OutputType = "integer"
	// OutputBoolean: true or false, or a text that says so.
	OutputBoolean OutputType = "boolean"
	// OutputObject and OutputArray: as they are. An array is also all values that an XPath
	// leads to, or all that a header has.
	OutputObject OutputType = "object"
	OutputArray  OutputType = "array"
)

// outputPlan is an output compiled.
type outputPlan struct {
	Output
	name  string
	path  bodyPath
	place int // of the path among requestPlan.paths; negative: it is followed alone
}

// outputs compiles the outputs of a request.
func (p *problems) outputs(plan *requestPlan) {
	path := in(plan.path, "outputs")
	p.count(path, len(plan.def.Outputs), maxOutputs)
	for _, name := range sortedKeys(plan.def.Outputs) {
		member := in(path, shorten(name))
		p.refName(member, name)
		plan.outputs = append(plan.outputs, p.output(member, name, plan))
	}
}

func (p *problems) output(at, name string, plan *requestPlan) outputPlan {
	o := outputPlan{Output: plan.def.Outputs[name], name: name, place: -1}
	if o.Type != "" {
		among(p, in(at, "type"), o.Type, OutputString, OutputNumber, OutputInteger, OutputBoolean, OutputObject, OutputArray)
	}
	switch o.From {
	case "", FromBody:
		o.path = p.bodyPath(in(at, "path"), o.Path, &plan.xpaths, o.Type == OutputArray)
		o.place = plan.paths.Add(o.Path)
	case FromHeader:
		p.fieldName(in(at, "path"), o.Path)
	case FromStatus:
		if o.Path != "" {
			p.add(in(at, "path"), "status", "a status is taken as it is, without a path")
		}
	default:
		among(p, in(at, "from"), o.From, FromBody, FromHeader, FromStatus)
	}
	if o.Type == OutputObject && (isXPath(o.Path) || o.From == FromHeader) || o.From == FromStatus && (o.Type == OutputObject || o.Type == OutputArray || o.Type == OutputBoolean) {
		p.add(in(at, "type"), "source", "cannot be taken from there")
	}
	p.fallback(in(at, "default"), &o)
	return o
}

// fallback checks the default of an output.
func (p *problems) fallback(at string, o *outputPlan) {
	if len(o.Default) == 0 {
		return
	}
	if err := payload.Check(o.Default, definitionLimits); err != nil {
		p.add(at, "json", "must be JSON")
		return
	}
	v := gjson.ParseBytes(o.Default)
	if _, ok := o.Type.of(v, nil); !ok && v.Type != gjson.Null {
		p.add(at, "default-type", "must be of the output's type, or null")
	}
}

// take reads the output. Of a value that is not of the type, ok is false.
func (o *outputPlan) take(a *taking, own *texts) (value any, found, ok bool) {
	switch {
	case o.From == FromStatus:
		value, ok = o.Type.of(gjson.Result{Type: gjson.Number, Raw: itoa(a.Status)}, own)
		return value, true, ok
	case o.From == FromHeader:
		return o.Type.texts(a.Header.Values(o.Path))
	case o.path.set != nil:
		return o.Type.texts(a.xpath(o.path))
	}
	v := a.valueOf(o)
	if v.Exists() && v.Raw == "" { // a count: items.#
		v.Raw = strconv.FormatFloat(v.Num, 'f', -1, 64)
	}
	if !v.Exists() || v.Type == gjson.Null && o.Type != "" {
		return nil, false, true
	}
	value, ok = o.Type.of(v, own)
	return value, true, ok
}

// standIn is what an output is that the answer does not have; missing tells that it must have it.
func (o *outputPlan) standIn() (value any, has, missing bool) {
	if len(o.Default) == 0 {
		return nil, false, !o.Optional
	}
	return decodeAny(o.Default), true, false
}

// of takes a JSON value as one of the type. It shares no memory with the document.
func (t OutputType) of(v gjson.Result, own *texts) (any, bool) {
	switch t {
	case "":
		return decodeValue(v, own), true
	case OutputObject:
		return decodeAny([]byte(v.Raw)), v.IsObject()
	case OutputArray:
		return decodeAny([]byte(v.Raw)), v.IsArray()
	}
	if v.Type == gjson.JSON || v.Type == gjson.Null {
		return nil, false
	}
	return t.text(own.keep(scalarText(v)))
}

// texts takes the values of a header or an XPath as one of the type.
func (t OutputType) texts(list []string) (value any, found, ok bool) {
	if len(list) == 0 {
		return nil, false, true
	}
	if t == OutputArray {
		values := make([]any, len(list))
		for i, text := range list {
			values[i] = text
		}
		return values, true, true
	}
	value, ok = t.text(list[0])
	return value, true, ok
}

// text takes a text as one of the type.
func (t OutputType) text(s string) (any, bool) {
	switch t {
	case "", OutputString:
		return s, true
	case OutputBoolean:
		s = strings.TrimSpace(s)
		return s == "true", s == "true" || s == "false"
	case OutputNumber, OutputInteger:
		s = strings.TrimSpace(s)
		if !isNumber(s) {
			return nil, false
		}
		if t == OutputInteger {
			whole, fraction, _ := strings.Cut(s, ".")
			return json.Number(whole), strings.Trim(fraction, "0") == "" && !strings.ContainsAny(whole, "eE")
		}
		return json.Number(s), true
	}
	return nil, false
}

// isNumber reports whether s is a JSON number.
func isNumber(s string) bool {
	return s != "" && (s[0] == '-' || '0' <= s[0] && s[0] <= '9') && gjson.Valid(s)
}
