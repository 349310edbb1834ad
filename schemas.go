package hub

import (
	"sync"

	"github.com/integrationhub/hub/internal/schema"
)

// DynamicPayloadSchema is the JSON Schema of the payload of a dynamic request: the call that
// the script describes, over the request's own values. Headers and query parameters are
// objects of texts, or lists of names and values where a name repeats.
const DynamicPayloadSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Payload of a dynamic Studio request",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "url": {"type": "string", "minLength": 1, "maxLength": 8192, "description": "Absolute URL; [[name]] is expanded."},
    "method": {"enum": ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]},
    "headers": {"$ref": "#/$defs/pairs"},
    "queryParameters": {"$ref": "#/$defs/pairs"},
    "mediaType": {"type": "string", "minLength": 1, "maxLength": 255},
    "body": {"description": "JSON for a JSON media type, text for any other, an object of texts for a form."}
  },
  "$defs": {
    "scalar": {"type": ["string", "number", "boolean"]},
    "pairs": {
      "anyOf": [
        {"type": "object", "maxProperties": 100, "additionalProperties": {"$ref": "#/$defs/scalar"}},
        {"type": "array", "maxItems": 100, "items": {
          "type": "object",
          "additionalProperties": false,
          "required": ["name", "value"],
          "properties": {"name": {"type": "string", "minLength": 1}, "value": {"$ref": "#/$defs/scalar"}}
        }}
      ]
    }
  }
}`

// envelopeSchema is DynamicPayloadSchema compiled.
var envelopeSchema = sync.OnceValue(func() *schema.Schema {
	compiled, err := schema.Compile([]byte(DynamicPayloadSchema), schema.Limits{})
	if err != nil { // a constant that a test compiles: cannot happen
		return nil
	}
	return compiled
})
