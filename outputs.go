package hub

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/payload"
)

// mapOutputs is the step that takes the outputs from a successful answer and holds them
// against the output schema.
func (r *run) mapOutputs(res *Result, err error) error {
	if res == nil || err != nil {
		return err
	}
	if r.ruled().says(VerdictIgnore) {
		res.Outputs, res.Branch = r.req.defaults(), OnSuccess
		return nil
	}
	a := r.readResult(res)
	outputs, broken := r.req.take(a)
	if a.deep {
		return r.explained(failure(BadAnswer, "the answer is nested deeper than "+itoa(r.limits.AnswerDepth)+" levels, or too large to be read"))
	}
	if len(broken) == 0 {
		broken = r.req.breaksContract(outputs)
	}
	if len(broken) > 0 {
		e := r.explained(failure(BadAnswer, ""))
		e.Fields = broken
		return e
	}
	res.Outputs, res.Branch = outputs, OnSuccess
	return nil
}

// defaults are the outputs of an answer that has nothing to say.
func (p *requestPlan) defaults() map[string]any {
	outputs := map[string]any{}
	for i := range p.outputs {
		if value, has, _ := p.outputs[i].standIn(); has {
			outputs[p.outputs[i].name] = value
		}
	}
	return outputs
}

// take reads the outputs of an answer and names those that are missing or of another type.
func (p *requestPlan) take(a *reading) (map[string]any, []FieldError) {
	var room [8]path.Place
	t := taking{a, a.follow(&p.paths, room[:0])}
	var own texts
	own.Grow(t.short())
	outputs := make(map[string]any, len(p.outputs))
	var broken []FieldError
	for i := range p.outputs {
		o := &p.outputs[i]
		value, found, ok := o.take(&t, &own)
		missing := false
		if has := found; !found {
			if value, has, missing = o.standIn(); !has && !missing {
				continue
			}
		}
		switch {
		case missing:
			broken = append(broken, FieldError{
				Path: "outputs." + o.name, Rule: "required",
				Message: "the answer has no value " + o.where() + ", and the output has no default",
			})
		case !ok:
			broken = append(broken, FieldError{
				Path: "outputs." + o.name, Rule: "type",
				Message: "the value " + o.where() + " is not of type " + string(o.Type),
			})
		default:
			outputs[o.name] = value
		}
	}
	return outputs, broken
}

// taking is an answer whose outputs are taken.
type taking struct {
	*reading
	found []path.Place // what requestPlan.paths lead to; nil: each path is followed alone
}

// follow goes several paths into a JSON body in one pass, if it can. One alone gjson follows no slower.
func (a *reading) follow(paths *path.Set, room []path.Place) []path.Place {
	if !a.json || paths.Len() < 2 {
		return nil
	}
	if found, known := paths.Find(a.text(), room); known {
		return found
	}
	return nil
}

// valueOf returns what a gjson path of an output leads to.
func (t *taking) valueOf(o *outputPlan) gjson.Result {
	if o.place < 0 || t.found == nil {
		return t.get(o.path)
	}
	return path.At(t.text(), t.found[o.place])
}

// short is how many bytes the short texts among the values have.
func (t *taking) short() (bytes int) {
	for _, at := range t.found {
		if n := at.To - at.From; n <= shortText {
			bytes += n
		}
	}
	return bytes
}

// texts copies texts of an answer: the short ones into one piece of memory, which is as long as any of
// them is kept.
type texts struct{ strings.Builder }

// shortText is the length of texts that share their memory.
const shortText = 64

// keep returns a copy of a text. Nil texts copy each apart.
func (t *texts) keep(text string) string {
	if t == nil || len(text) > shortText {
		return strings.Clone(text)
	}
	from := t.Len()
	t.WriteString(text)
	return t.String()[from:]
}

// where says where the answer should have the output.
func (o *outputPlan) where() string {
	switch o.From {
	case FromHeader:
		return "in header " + quote(o.Path)
	case FromStatus:
		return "of its status"
	default:
		return "at " + quote(o.Path)
	}
}

// breaksContract lists what the outputs break of the output schema.
func (p *requestPlan) breaksContract(outputs map[string]any) []FieldError {
	if p.contract == nil {
		return nil
	}
	data, err := json.Marshal(outputs)
	if err != nil { // decoded from JSON: cannot happen
		return []FieldError{{Path: "outputs", Rule: "json", Message: "cannot be encoded"}}
	}
	return schemaFields("outputs", p.contract.Validate(data))
}

// decodeValue decodes a value that gjson found. It shares no memory with the document.
func decodeValue(v gjson.Result, own *texts) any {
	switch {
	case v.Type == gjson.True || v.Type == gjson.False:
		return v.Type == gjson.True
	case v.Type == gjson.Number:
		return json.Number(own.keep(v.Raw))
	case v.Type == gjson.String && len(v.Raw) == len(v.Str)+2 && utf8.ValidString(v.Str): // without escapes
		return own.keep(v.Str)
	}
	return decodeAny([]byte(v.Raw))
}

// decodeDepth bounds what is decoded by descending into it; what is deeper encoding/json decodes.
const decodeDepth = 512

// decodeAny decodes JSON with its numbers digit by digit.
func decodeAny(data []byte) any {
	if v, ok := payload.Decode(data, decodeDepth); ok {
		return v
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil
	}
	return v
}

func itoa(n int) string { return strconv.Itoa(n) }

func trimSpace(b []byte) []byte { return bytes.Trim(b, " \t\r\n") }
