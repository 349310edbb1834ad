package hub

// The definitions that the schemas of template, connector and request share. Patterns are
// written so that ECMA-262 (with the u flag) and RE2 read them alike.

const verbsEnum = `"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"`

const defsText = `
    "id": {"type": "string", "pattern": "^[a-z0-9_-]{0,64}$", "description": "Opaque; empty: the hub makes one."},
    "name": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^\\P{Cc}*$", "description": "At most 255 bytes, no control characters."},
    "line": {"type": "string", "maxLength": 255, "pattern": "^\\P{Cc}*$"},
    "text": {"type": "string", "maxLength": 4096},
    "refName": {"type": "string", "maxLength": 255, "pattern": "^[A-Za-z_][A-Za-z0-9_-]*$", "description": "What [[name]] refers to."},
    "time": {"type": "string", "format": "date-time", "readOnly": true},
    "verb": {"enum": [` + verbsEnum + `]},
    "verbOrNone": {"enum": ["", ` + verbsEnum + `]}`

const defsHosts = `
    "hosts": {
      "type": "array", "maxItems": 100,
      "items": {"type": "string", "minLength": 1, "pattern": "^(\\*\\.)?[^*/@?#%_\\\\ \\t\\r\\n]+$"},
      "description": "api.example.com, *.example.com (its subdomains), either with :port; 443 if absent."
    }`

const defsCall = `
    "headerName": {
      "type": "string",
      "pattern": "^[!#$%&'*+.^_\\x60|~0-9A-Za-z-]+$",
      "not": {"pattern": "^([Aa][Cc][Cc][Ee][Pp][Tt][_-][Ee][Nn][Cc][Oo][Dd][Ii][Nn][Gg]|[Cc][Oo][Nn][Nn][Ee][Cc][Tt][Ii][Oo][Nn]|[Cc][Oo][Nn][Tt][Ee][Nn][Tt][_-]([Ll][Ee][Nn][Gg][Tt][Hh]|[Tt][Yy][Pp][Ee])|[Ee][Xx][Pp][Ee][Cc][Tt]|[Hh][Oo][Ss][Tt]|[Hh][Tt][Tt][Pp]2[_-][Ss][Ee][Tt][Tt][Ii][Nn][Gg][Ss]|[Kk][Ee][Ee][Pp][_-][Aa][Ll][Ii][Vv][Ee]|[Tt][Ee]|[Tt][Rr][Aa][Ii][Ll][Ee][Rr]|[Tt][Rr][Aa][Nn][Ss][Ff][Ee][Rr][_-][Ee][Nn][Cc][Oo][Dd][Ii][Nn][Gg]|[Uu][Pp][Gg][Rr][Aa][Dd][Ee]|[Pp][Rr][Oo][Xx][Yy][_-].*)$"},
      "description": "A token of RFC 9110 that does not belong to the connection or to the body."
    },
    "header": {
      "type": "object", "additionalProperties": false, "required": ["name"],
      "properties": {
        "name": {"$ref": "#/$defs/headerName", "title": "Name"},
        "value": {"type": "string", "pattern": "^[\\t\\P{Cc}]*$", "title": "Value", "description": "May hold references."}
      }
    },
    "headers": {"type": "array", "maxItems": 50, "items": {"$ref": "#/$defs/header"}},
    "param": {
      "type": "object", "additionalProperties": false, "required": ["name"],
      "properties": {
        "name": {"type": "string", "minLength": 1, "title": "Name"},
        "value": {"type": "string", "title": "Value", "description": "May hold references."}
      }
    },
    "query": {"type": "array", "maxItems": 100, "items": {"$ref": "#/$defs/param"}},
    "statuses": {
      "type": "array", "maxItems": 50,
      "items": {"type": "string", "pattern": "^([1-5]xx|[1-5][0-9]{2}(-[1-5][0-9]{2})?)$"},
      "description": "Statuses (404), ranges (200-299) and classes (2xx)."
    },
    "rateLimit": {
      "type": "object", "additionalProperties": false, "required": ["requests", "per"],
      "properties": {
        "requests": {"type": "integer", "minimum": 1, "maximum": 1000000, "title": "Requests"},
        "per": {"type": "integer", "minimum": 1, "maximum": 86400000, "title": "In so many milliseconds"},
        "burst": {"type": "integer", "minimum": 0, "maximum": 1000000, "title": "At once", "description": "0: as many as requests."}
      }
    },
    "success": {
      "type": "object", "additionalProperties": false, "required": ["statuses"],
      "properties": {"statuses": {"$ref": "#/$defs/statuses", "minItems": 1, "title": "Statuses"}}
    },
    "fieldName": {"type": "string", "pattern": "^[!#$%&'*+.^_\\x60|~0-9A-Za-z-]*$", "description": "A token of RFC 9110."},
    "answerMatch": {
      "type": "object", "additionalProperties": false, "description": "What is given must all hold.",
      "properties": {
        "statuses": {"$ref": "#/$defs/statuses", "title": "Statuses"},
        "mediaTypes": {"type": "array", "maxItems": 20, "items": {"type": "string"}, "title": "Media types", "description": "application/json, text/*"},
        "header": {"$ref": "#/$defs/fieldName", "title": "Header"},
        "headerValues": {"type": "array", "maxItems": 20, "items": {"type": "string"}, "title": "Values of the header"},
        "headerAbsent": {"type": "boolean", "title": "There is no such header"},
        "path": {"type": "string", "title": "Path into the answer"},
        "values": {"type": "array", "maxItems": 20, "items": {"type": "string"}, "title": "Values at the path"},
        "absent": {"type": "boolean", "title": "Nothing is at the path"},
        "contains": {"type": "string", "maxLength": 512, "title": "Text in the body"}
      },
      "allOf": [
        {
          "if": {"anyOf": [
            {"required": ["headerValues"], "properties": {"headerValues": {"minItems": 1}}},
            {"required": ["headerAbsent"], "properties": {"headerAbsent": {"const": true}}}
          ]},
          "then": {"required": ["header"], "properties": {"header": {"minLength": 1}}}
        },
        {
          "if": {"anyOf": [
            {"required": ["values"], "properties": {"values": {"minItems": 1}}},
            {"required": ["absent"], "properties": {"absent": {"const": true}}}
          ]},
          "then": {"required": ["path"], "properties": {"path": {"minLength": 1}}}
        }
      ]
    }`

const defsRequest = `
    "request": {
      "title": "Request",
      "type": "object", "additionalProperties": false, "required": ["name"],
      "properties": {
        "id": {"$ref": "#/$defs/id"},
        "name": {"$ref": "#/$defs/name", "title": "Name"},
        "description": {"$ref": "#/$defs/text", "title": "Description"},
        "trigger": {"enum": ["", "manual", "studio"], "title": "Trigger", "default": "manual"},
        "payloadMode": {"enum": ["", "mapped", "dynamic"], "title": "Payload", "description": "What a Studio request makes of its payload."},
        "state": {"enum": ["", "active", "inactive"], "title": "State", "default": "active"},
        "method": {"$ref": "#/$defs/verbOrNone", "title": "Method"},
        "url": {"type": "string", "title": "URL", "description": "Absolute; references may stand in its host, path and query."},
        "headers": {"$ref": "#/$defs/headers", "title": "Headers"},
        "query": {"$ref": "#/$defs/query", "title": "Query parameters"},
        "mediaType": {"type": "string", "title": "Media type"},
        "body": {"type": "string", "title": "Body", "description": "Written as its media type is."},
        "form": {"type": "array", "maxItems": 100, "items": {"$ref": "#/$defs/formField"}, "title": "Form"},
        "bodyFile": {"anyOf": [{"const": ""}, {"$ref": "#/$defs/refName"}], "title": "File that is the body", "description": "By its name among the call's files."},
        "timeout": {"type": "integer", "minimum": 0, "title": "Timeout in milliseconds", "description": "0: the connector's."},
        "rateLimit": {"$ref": "#/$defs/rateLimit", "title": "Rate limit"},
        "payloadSchema": {"type": ["object", "boolean"], "title": "Schema of the payload"},
        "sample": {"title": "Sample payload"},
        "outputs": {
          "type": "object", "maxProperties": 100, "title": "Outputs",
          "propertyNames": {"$ref": "#/$defs/refName"}, "additionalProperties": {"$ref": "#/$defs/output"}
        },
        "outputSchema": {"type": ["object", "boolean"], "title": "Schema of the outputs"},
        "responses": {"type": "array", "maxItems": 20, "items": {"$ref": "#/$defs/responseRule"}, "title": "What answers mean", "description": "The first that matches decides."},
        "success": {"$ref": "#/$defs/success", "title": "Success"},
        "pagination": {"$ref": "#/$defs/pagination", "title": "Pages of a list"},
        "retry": {"$ref": "#/$defs/retry", "title": "Retry"},
        "fallback": {"$ref": "#/$defs/fallback", "title": "What stands in for an answer"}
      },
      "allOf": [
        {
          "if": {"required": ["trigger"], "properties": {"trigger": {"const": "studio"}}},
          "then": {"required": ["payloadMode"], "properties": {"payloadMode": {"enum": ["mapped", "dynamic"]}}},
          "else": {"properties": {"payloadMode": {"const": ""}, "payloadSchema": false, "sample": false}}
        },
        {
          "if": {"required": ["payloadMode"], "properties": {"payloadMode": {"const": "dynamic"}}},
          "then": {"properties": {"form": {"maxItems": 0}, "bodyFile": {"const": ""}}},
          "else": {"required": ["method", "url"], "properties": {"method": {"$ref": "#/$defs/verb"}, "url": {"minLength": 1}}}
        },
        {
          "if": {"required": ["pagination"], "properties": {"pagination": {"required": ["member"], "properties": {"member": {"minLength": 1}}}}},
          "then": {"required": ["payloadMode"], "properties": {"payloadMode": {"const": "mapped"}}}
        },
        {
          "if": {"required": ["form"], "properties": {"form": {"minItems": 1}}},
          "then": {"properties": {"body": {"maxLength": 0}}}
        },
        {
          "if": {"required": ["bodyFile"], "properties": {"bodyFile": {"minLength": 1}}},
          "then": {"properties": {"body": {"maxLength": 0}, "form": {"maxItems": 0}}}
        }
      ]
    },
    "pagination": {
      "type": "object", "additionalProperties": false, "required": ["kind"],
      "properties": {
        "kind": {"enum": ["cursor", "offset", "page", "link", "next-url"], "title": "Kind"},
        "items": {"type": "string", "title": "Items", "description": "A gjson path: results, @this."},
        "next": {"type": "string", "title": "Next", "description": "A gjson path: of the cursor, or of the next page's URL."},
        "more": {"type": "string", "title": "More", "description": "A gjson path: true as long as more pages follow."},
        "param": {"type": "string", "maxLength": 255, "title": "Query parameter"},
        "member": {"anyOf": [{"const": ""}, {"$ref": "#/$defs/refName"}], "title": "Member of the payload"},
        "start": {"type": "integer", "minimum": 0, "maximum": 1073741824, "title": "First offset or number"}
      },
      "allOf": [
        {
          "if": {"properties": {"kind": {"enum": ["cursor", "offset", "page"]}}},
          "then": {"oneOf": [
            {"required": ["param"], "properties": {"param": {"minLength": 1}, "member": {"const": ""}}},
            {"required": ["member"], "properties": {"member": {"minLength": 1}, "param": {"const": ""}}}
          ]}
        },
        {
          "if": {"properties": {"kind": {"const": "cursor"}}},
          "then": {"required": ["next"], "properties": {"next": {"minLength": 1}, "start": false}}
        },
        {
          "if": {"properties": {"kind": {"enum": ["offset", "page"]}}},
          "then": {"required": ["items"], "properties": {"items": {"minLength": 1}, "next": {"const": ""}}}
        },
        {
          "if": {"properties": {"kind": {"const": "link"}}},
          "then": {"properties": {"next": {"const": ""}, "more": {"const": ""}, "param": {"const": ""}, "member": {"const": ""}, "start": false}}
        },
        {
          "if": {"properties": {"kind": {"const": "next-url"}}},
          "then": {"required": ["next"], "properties": {"next": {"minLength": 1}, "param": {"const": ""}, "member": {"const": ""}, "start": false}}
        }
      ]
    },
    "formField": {
      "type": "object", "additionalProperties": false, "required": ["name"],
      "properties": {
        "name": {"type": "string", "minLength": 1, "title": "Name"},
        "value": {"type": "string", "title": "Value", "description": "May hold references."},
        "fileName": {"type": "string", "title": "File name", "description": "Multipart only."},
        "mediaType": {"type": "string", "title": "Media type", "description": "Multipart only."},
        "file": {"anyOf": [{"const": ""}, {"$ref": "#/$defs/refName"}], "title": "File", "description": "By its name among the call's files. Multipart only."}
      },
      "if": {"required": ["file"], "properties": {"file": {"minLength": 1}}},
      "then": {"properties": {"value": {"maxLength": 0}}}
    },
    "fallback": {
      "type": "object", "additionalProperties": false,
      "anyOf": [{"required": ["outputs"]}, {"required": ["staleFor"], "properties": {"staleFor": {"minimum": 1}}}],
      "properties": {
        "staleFor": {"type": "integer", "minimum": 0, "maximum": 604800, "title": "Age of an earlier answer, in seconds"},
        "outputs": {"type": "object", "title": "Outputs"}
      }
    },
    "responseRule": {
      "type": "object", "additionalProperties": false, "required": ["then"],
      "properties": {
        "when": {"$ref": "#/$defs/answerMatch", "title": "When"},
        "then": {"enum": ["success", "ignore", "fail", "retry", "rate-limited", "refresh-token"], "title": "Then"},
        "message": {"type": "string", "maxLength": 512, "pattern": "^\\P{Cc}*$", "title": "Message", "description": "{{path}} is a value of the answer, {{@status}} its status."}
      }
    },
    "output": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "from": {"enum": ["", "body", "header", "status"], "title": "From", "default": "body"},
        "path": {"type": "string", "title": "Path", "description": "result.number, items.#.id; in XML /order/item/@id; the name of a header."},
        "type": {"enum": ["", "string", "number", "integer", "boolean", "object", "array"], "title": "Type"},
        "default": {"title": "Default", "description": "The value if there is none."},
        "optional": {"type": "boolean", "title": "May be left out"}
      },
      "if": {"required": ["from"], "properties": {"from": {"const": "status"}}},
      "then": {"properties": {"path": {"maxLength": 0}, "type": {"enum": ["", "string", "number", "integer"]}}},
      "else": {
        "required": ["path"], "properties": {"path": {"minLength": 1}},
        "if": {"required": ["from"], "properties": {"from": {"const": "header"}}},
        "then": {"properties": {"path": {"$ref": "#/$defs/fieldName"}, "type": {"not": {"const": "object"}}}}
      }
    },
    "retry": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "attempts": {"type": "integer", "minimum": 0, "title": "Attempts"},
        "idempotent": {"type": "boolean", "title": "Repeating does no harm"},
        "idempotencyHeader": {"anyOf": [{"const": ""}, {"$ref": "#/$defs/headerName"}], "title": "Header for a key"},
        "idempotencyKey": {"type": "string", "pattern": "^[\\t\\P{Cc}]*$", "title": "Key", "description": "May hold references. Empty: generated for each call."},
        "statuses": {"$ref": "#/$defs/statuses", "title": "Answers worth another attempt"}
      },
      "if": {"required": ["idempotencyKey"], "properties": {"idempotencyKey": {"minLength": 1}}},
      "then": {"required": ["idempotencyHeader"], "properties": {"idempotencyHeader": {"minLength": 1}}}
    }`
