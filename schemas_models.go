package hub

// The schemas of the definitions are what a form needs to ask for them. They accept whatever
// the hub accepts, and refuse what it refuses as far as a schema can say it: a schema counts
// characters where the hub counts bytes, and cannot follow references, compare with the
// template, or know Options.Limits.

// TemplateSchema is the JSON Schema (2020-12) of a [Template] as CreateTemplate takes it.
const TemplateSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Template",
  "type": "object", "additionalProperties": false, "required": ["name", "methods"],
  "properties": {
    "id": {"$ref": "#/$defs/id"},
    "version": {"type": "integer", "readOnly": true},
    "revision": {"type": "integer", "description": "As last read."},
    "system": {"type": "boolean", "readOnly": true},
    "name": {"$ref": "#/$defs/name", "title": "Name"},
    "application": {"$ref": "#/$defs/line", "title": "Application"},
    "integrationMethod": {"enum": ["", "REST"], "title": "Integration method", "default": "REST"},
    "authType": {"enum": [` + authKindEnum + `], "title": "Authentication type", "default": "none"},
    "description": {"$ref": "#/$defs/text", "title": "Description"},
    "icon": {"type": "string", "contentEncoding": "base64", "title": "Icon", "description": "PNG, JPEG, GIF, WebP or SVG, at most 256 KiB."},
    "iconType": {"type": "string", "readOnly": true},
    "methods": {"type": "array", "minItems": 1, "uniqueItems": true, "items": {"$ref": "#/$defs/verb"}, "title": "Verbs"},
    "headers": {"type": "array", "maxItems": 50, "items": {"$ref": "#/$defs/templateHeader"}, "title": "Custom headers"},
    "allowedHosts": {"$ref": "#/$defs/hosts", "title": "Allowed hosts"},
    "fields": {"type": "array", "maxItems": 100, "items": {"$ref": "#/$defs/field"}, "title": "Form fields"},
    "verify": {"$ref": "#/$defs/verify", "title": "Request that proves a credential"},
    "limits": {"$ref": "#/$defs/limits", "title": "Ceilings"},
    "createdAt": {"$ref": "#/$defs/time"}
  },
  "if": {"required": ["authType"], "properties": {"authType": {"not": {"enum": ["", "none"]}}}},
  "else": {"properties": {"headers": {"items": {"properties": {"on": {"enum": ["", "request"]}}}}}},
  "$defs": {` + defsText + `,` + defsHosts + `,` + defsCall + `,
    "templateHeader": {
      "type": "object", "additionalProperties": false, "required": ["name"],
      "properties": {
        "name": {"$ref": "#/$defs/headerName", "title": "Name"},
        "required": {"type": "boolean", "title": "Required?"},
        "on": {"enum": ["", "auth", "request"], "title": "Stands on", "default": "request"},
        "default": {"type": "string", "maxLength": 4096, "pattern": "^\\P{Cc}*$", "title": "Default"},
        "help": {"$ref": "#/$defs/text", "title": "Help"}
      }
    },
    "field": {
      "type": "object", "additionalProperties": false, "required": ["key"],
      "properties": {
        "key": {"$ref": "#/$defs/refName", "title": "Key"},
        "title": {"$ref": "#/$defs/line", "title": "Title"},
        "description": {"$ref": "#/$defs/text", "title": "Description"},
        "secret": {"type": "boolean", "title": "Secret"},
        "required": {"type": "boolean", "title": "Required"},
        "pattern": {"type": "string", "maxLength": 4096, "title": "Pattern", "description": "RE2; the whole value must match."},
        "enum": {"type": "array", "maxItems": 100, "items": {"type": "string"}, "title": "Values"},
        "format": {"enum": ["", "email", "hostname", "uri", "uuid", "date", "integer"], "title": "Format"},
        "default": {"type": "string", "title": "Default"},
        "order": {"type": "integer", "title": "Order"},
        "visibleWhen": {"$ref": "#/$defs/condition", "title": "Visible when"}
      },
      "if": {"required": ["secret"], "properties": {"secret": {"const": true}}},
      "then": {"properties": {"default": {"maxLength": 0}}}
    },
    "condition": {
      "type": "object", "additionalProperties": false, "required": ["field", "values"],
      "properties": {
        "field": {"$ref": "#/$defs/refName", "title": "Field"},
        "values": {"type": "array", "minItems": 1, "items": {"type": "string"}, "title": "Values"}
      }
    },
    "verify": {
      "type": "object", "additionalProperties": false, "required": ["method", "url"],
      "properties": {
        "method": {"$ref": "#/$defs/verb", "title": "Method"},
        "url": {"type": "string", "minLength": 1, "title": "URL"},
        "headers": {"$ref": "#/$defs/headers", "title": "Headers"},
        "query": {"$ref": "#/$defs/query", "title": "Query parameters"},
        "mediaType": {"type": "string", "title": "Media type"},
        "body": {"type": "string", "title": "Body"},
        "success": {"$ref": "#/$defs/success", "title": "Success"}
      }
    },
    "limits": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "timeout": {"type": "integer", "minimum": 0, "title": "Timeout in milliseconds"},
        "attempts": {"type": "integer", "minimum": 0, "title": "Attempts"},
        "responseBytes": {"type": "integer", "minimum": 0, "title": "Size of an answer in bytes"},
        "concurrency": {"type": "integer", "minimum": 0, "maximum": 1000000, "title": "Calls of one connector at once"},
        "rateLimit": {"$ref": "#/$defs/rateLimit", "title": "Rate limit of one connector"}
      }
    }
  }
}`

// ConnectorSchema is the JSON Schema (2020-12) of a [Connector] as CreateConnector takes it.
const ConnectorSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Connector",
  "type": "object", "additionalProperties": false, "required": ["template", "name"],
  "properties": {
    "id": {"$ref": "#/$defs/id"},
    "revision": {"type": "integer", "description": "As last read."},
    "template": {"type": "string", "pattern": "^[a-z0-9_-]{1,64}$", "title": "Template"},
    "templateVersion": {"type": "integer", "minimum": 0, "title": "Version of the template"},
    "name": {"$ref": "#/$defs/name", "title": "Name"},
    "hosts": {"$ref": "#/$defs/hosts", "title": "Hosts"},
    "auth": {"$ref": "#/$defs/auth", "title": "Authentication"},
    "headers": {"$ref": "#/$defs/headers", "title": "Headers of every request"},
    "timeout": {"type": "integer", "minimum": 0, "title": "Timeout in milliseconds", "default": 10000},
    "concurrency": {"type": "integer", "minimum": 0, "maximum": 1000000, "title": "Calls at once", "description": "0: as many as template and host allow."},
    "rateLimit": {"$ref": "#/$defs/rateLimit", "title": "Rate limit"},
    "variables": {"type": "object", "propertyNames": {"$ref": "#/$defs/refName"}, "additionalProperties": {"type": "string"}, "title": "Variables"},
    "secrets": {"type": "array", "items": {"$ref": "#/$defs/secret"}, "title": "Secrets"},
    "tls": {"$ref": "#/$defs/tls", "title": "TLS"},
    "requests": {"type": "array", "items": {"$ref": "#/$defs/request"}, "title": "Requests"},
    "tags": {
      "type": "array", "maxItems": 50, "uniqueItems": true, "title": "Tags",
      "items": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^\\P{Cc}*$"}
    },
    "paused": {"type": "boolean", "title": "Paused"},
    "createdAt": {"$ref": "#/$defs/time"},
    "updatedAt": {"$ref": "#/$defs/time"}
  },
  "$defs": {` + defsText + `,` + defsHosts + `,` + defsCall + `,` + defsRequest + `,` + defsAuth + `,
    "secret": {
      "type": "object", "additionalProperties": false, "required": ["name"],
      "properties": {
        "name": {"$ref": "#/$defs/refName", "title": "Name"},
        "description": {"$ref": "#/$defs/text", "title": "Description"},
        "hosts": {"$ref": "#/$defs/hosts", "title": "Hosts it may be sent to"},
        "places": {
          "type": "array", "maxItems": 100, "title": "Places where it may stand",
          "items": {"type": "string", "maxLength": 255, "pattern": "^(auth|path|body(:/[\\s\\S]*)?|(header|query|form):[\\s\\S]+)$"}
        }
      }
    },
    "tls": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "ca": {"type": "string", "maxLength": 262144, "title": "Authorities (PEM)"},
        "certificate": {"type": "string", "maxLength": 262144, "title": "Client certificate (PEM)"},
        "key": {"type": "string", "title": "Secret that holds the private key"},
        "minVersion": {"enum": ["", "1.2", "1.3"], "title": "Lowest version", "default": "1.2"}
      },
      "allOf": [
        {
          "if": {"required": ["certificate"], "properties": {"certificate": {"minLength": 1}}},
          "then": {"required": ["key"], "properties": {"key": {"minLength": 1}}}
        },
        {
          "if": {"required": ["key"], "properties": {"key": {"minLength": 1}}},
          "then": {"required": ["certificate"], "properties": {"certificate": {"minLength": 1}}}
        }
      ]
    }
  }
}`

// RequestSchema is the JSON Schema (2020-12) of a [Request] as AddRequest takes it.
const RequestSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Request",
  "$ref": "#/$defs/request",
  "$defs": {` + defsText + `,` + defsCall + `,` + defsRequest + `
  }
}`
