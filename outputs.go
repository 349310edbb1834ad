package hub

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/integrationhub/hub/internal/path"
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
	if res.deep {
		return r.explained(failure(BadAnswer, "the answer is nested deeper than "+itoa(r.limits.AnswerDepth)+" levels"))
	}
	outputs, missing := r.req.take(res)
	if len(missing) == 0 {
		missing = r.req.breaksContract(outputs)
	}
	if len(missing) > 0 {
		e := r.explained(failure(BadAnswer, ""))
		e.Fields = missing
		return e
	}
	res.Outputs, res.Branch = outputs, OnSuccess
	return nil
}

// defaults are the outputs of an answer that has nothing to say.
func (p *requestPlan) defaults() map[string]any {
	outputs := map[string]any{}
	for _, o := range p.outputs {
		if o.optional {
			outputs[o.name] = o.standIn()
		}
	}
	return outputs
}

// take reads the outputs of an answer and names those that are missing.
func (p *requestPlan) take(res *Result) (map[string]any, []FieldError) {
	outputs := make(map[string]any, len(p.outputs))
	var missing []FieldError
	for _, o := range p.outputs {
		value, found := o.take(res)
		if !found {
			missing = append(missing, FieldError{
				Path: "outputs." + o.name, Rule: "required",
				Message: "the answer has no value at " + quote(o.path) + ", and the output has no default",
			})
			continue
		}
		outputs[o.name] = value
	}
	return outputs, missing
}

func (o *outputPlan) take(res *Result) (any, bool) {
	if res.json {
		if v := path.Get(res.Body, o.path); v.Exists() {
			if v.Raw == "" { // a count: items.#
				return json.Number(strconv.FormatFloat(v.Num, 'f', -1, 64)), true
			}
			return decodeAny([]byte(v.Raw)), true
		}
	}
	return o.standIn(), o.optional
}

// standIn is the default, the caller's own.
func (o *outputPlan) standIn() any {
	if !o.optional {
		return nil
	}
	return decodeAny(o.fallback)
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

// decodeAny decodes JSON with its numbers digit by digit.
func decodeAny(data []byte) any {
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
