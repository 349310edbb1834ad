package hub

import (
	"errors"
	"strconv"
	"strings"

	"github.com/integrationhub/hub/internal/payload"
	"github.com/integrationhub/hub/internal/schema"
)

// Studio cuts a dynamic object at 32 KB; how many bytes that is, its documentation does not
// say.
var studioCuts = []int{32 << 10, 32_000}

// checkPayload reads a payload of a request into d and returns every rule that it breaks,
// without its values.
func (c *core) checkPayload(plan *requestPlan, d *payload.Document, data []byte) []FieldError {
	if err := d.Read(data, c.payloadLimits()); err != nil {
		return []FieldError{guardField(data, err)}
	}
	if plan.def.PayloadMode == PayloadDynamic {
		if broken := schemaFields("payload", envelopeSchema().ValidateDocument(d)); len(broken) > 0 {
			return broken
		}
	}
	if plan.schema == nil {
		return nil
	}
	return schemaFields("payload", plan.schema.ValidateDocument(d))
}

func (c *core) payloadLimits() payload.Limits {
	return payload.Limits{
		Bytes: c.limits.PayloadBytes, Depth: c.limits.PayloadDepth,
		Digits: c.limits.NumberDigits, Exponent: c.limits.NumberExponent,
	}
}

// guardField explains what the guard refused; a payload that Studio cut gets told so.
func guardField(data []byte, err error) FieldError {
	if p, ok := asProblem(err); ok && (p.Rule == payload.Truncated || p.Rule == payload.Syntax) {
		for _, cut := range studioCuts {
			if len(data) == cut {
				return FieldError{Path: "payload", Rule: "truncated-by-studio", Message: "ends in the middle, after " +
					strconv.Itoa(cut) + " bytes: Studio cuts objects at 32 KB. Hand over less, or in several calls"}
			}
		}
	}
	return payloadField("payload", err)
}

func asProblem(err error) (*payload.Problem, bool) {
	var p *payload.Problem
	return p, errors.As(err, &p)
}

// payloadField turns what the guard found into a field error.
func payloadField(root string, err error) FieldError {
	f := FieldError{Path: orRoot(root), Rule: "json", Message: "is not valid JSON"}
	if p, ok := asProblem(err); ok {
		f.Path, f.Rule = orRoot(root+printable(p.Pointer)), p.Rule
		f.Message = guardText(p)
	}
	return f
}

// schemaFields turns what a schema found into field errors.
func schemaFields(root string, err error) []FieldError {
	if err == nil {
		return nil
	}
	broken, ok := errors.AsType[*schema.Violations](err)
	if !ok {
		return []FieldError{schemaField(root, err)}
	}
	fields := make([]FieldError, 0, len(broken.List))
	for _, v := range broken.List {
		fields = append(fields, FieldError{
			Path: root + printable(v.Pointer), Rule: v.Keyword, Message: keywordText(v.Keyword, v.Limit),
		})
	}
	return fields
}

// schemaField explains why a schema itself was refused.
func schemaField(root string, err error) FieldError {
	f := FieldError{Path: root, Rule: "schema", Message: "is not a JSON Schema that can be used"}
	var p *schema.Problem
	if errors.As(err, &p) {
		f.Path, f.Rule = root+printable(p.Pointer), p.Rule
		f.Message = "is refused by the rule " + p.Rule
		if p.Limit > 0 {
			f.Message += ", limit " + strconv.Itoa(p.Limit)
		}
	} else if q, ok := asProblem(err); ok {
		return payloadField(root, q)
	}
	return f
}

// printable escapes what would act on a terminal or a log.
func printable(s string) string {
	q := strconv.QuoteToGraphic(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}
