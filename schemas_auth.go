package hub

const authKindEnum = `"", "none", "oauth2", "api-key", "basic", "bearer", "oauth2-client-credentials", "oauth2-refresh-token",
          "oauth2-authorization-code", "oauth2-device-code", "oauth2-jwt-bearer", "oauth2-token-exchange", "oauth2-password",
          "session", "hmac", "aws-sigv4"`

// defsAuth describes the kinds of authentication: the members that a form shows for each.
const defsAuth = `
    "auth": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "kind": {"enum": [` + authKindEnum + `], "title": "Kind", "description": "The template's authentication type."},
        "request": {"$ref": "#/$defs/authRequest", "title": "Authentication request"},
        "refused": {"type": "array", "maxItems": 20, "title": "Answers that refuse the token", "items": {
          "allOf": [{"$ref": "#/$defs/answerMatch"}],
          "anyOf": [
            {"required": ["statuses"], "properties": {"statuses": {"minItems": 1}}}, {"required": ["mediaTypes"], "properties": {"mediaTypes": {"minItems": 1}}},
            {"required": ["header"], "properties": {"header": {"minLength": 1}}}, {"required": ["path"], "properties": {"path": {"minLength": 1}}},
            {"required": ["contains"], "properties": {"contains": {"minLength": 1}}}
          ]
        }},
        "apiKey": {"$ref": "#/$defs/apiKey", "title": "API key"},
        "basic": {"$ref": "#/$defs/basic", "title": "User name and password"},
        "bearer": {"$ref": "#/$defs/bearer", "title": "Token"},
        "oauth": {"$ref": "#/$defs/oauth", "title": "OAuth 2.0"},
        "session": {"$ref": "#/$defs/session", "title": "Session"},
        "hmac": {"$ref": "#/$defs/hmac", "title": "Signature"},
        "aws": {"$ref": "#/$defs/aws", "title": "AWS Signature Version 4"}
      },
      "if": {"required": ["kind"], "properties": {"kind": {"minLength": 1}}},
      "then": {"allOf": [
        {"if": {"required": ["request"]}, "then": {"properties": {"kind": {"enum": ["oauth2", "session"]}}}},
        {"if": {"required": ["apiKey"]}, "then": {"properties": {"kind": {"const": "api-key"}}}},
        {"if": {"required": ["basic"]}, "then": {"properties": {"kind": {"const": "basic"}}}},
        {"if": {"required": ["bearer"]}, "then": {"properties": {"kind": {"const": "bearer"}}}},
        {"if": {"required": ["oauth"]}, "then": {"properties": {"kind": {"pattern": "^oauth2-"}}}},
        {"if": {"required": ["session"]}, "then": {"properties": {"kind": {"const": "session"}}}},
        {"if": {"required": ["hmac"]}, "then": {"properties": {"kind": {"const": "hmac"}}}},
        {"if": {"required": ["aws"]}, "then": {"properties": {"kind": {"const": "aws-sigv4"}}}}
      ]}
    },
    "authRequest": {
      "type": "object", "additionalProperties": false, "required": ["url"],
      "properties": {
        "url": {"type": "string", "minLength": 1, "title": "URL"},
        "method": {"$ref": "#/$defs/verbOrNone", "title": "Method", "default": "POST"},
        "headers": {"$ref": "#/$defs/headers", "title": "Headers"},
        "query": {"$ref": "#/$defs/query", "title": "Query parameters"},
        "mediaType": {"type": "string", "title": "Media type", "default": "application/x-www-form-urlencoded"},
        "body": {"type": "string", "title": "Body"}
      }
    },
    "carrier": {"enum": ["", "header", "query", "cookie"], "default": "header"},
    "apiKey": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "in": {"$ref": "#/$defs/carrier", "title": "Carried by"},
        "name": {"$ref": "#/$defs/line", "title": "Name", "default": "X-Api-Key"},
        "value": {"type": "string", "title": "Value", "default": "[[apiKey]]"}
      }
    },
    "basic": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "username": {"type": "string", "title": "User name", "default": "[[username]]"},
        "password": {"type": "string", "title": "Password", "default": "[[password]]"}
      }
    },
    "bearer": {
      "type": "object", "additionalProperties": false,
      "properties": {"token": {"type": "string", "title": "Token", "default": "[[token]]"}}
    },
    "session": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "path": {"type": "string", "title": "Path of the token in the answer"},
        "answerHeader": {"type": "string", "title": "Header of the answer"},
        "answerCookie": {"$ref": "#/$defs/line", "title": "Cookie of the answer"},
        "in": {"$ref": "#/$defs/carrier", "title": "Carried by"},
        "name": {"$ref": "#/$defs/line", "title": "Name"},
        "prefix": {"$ref": "#/$defs/line", "title": "Prefix"},
        "success": {"$ref": "#/$defs/success", "title": "Success"},
        "expires": {
          "type": "object", "additionalProperties": false, "title": "End of the session",
          "properties": {
            "path": {"type": "string", "title": "Path"},
            "form": {"type": "string", "title": "Form", "examples": ["seconds", "milliseconds", "unix", "unix-milliseconds", "date"]},
            "fixed": {"type": "integer", "minimum": 0, "title": "Life in seconds"}
          }
        }
      }
    },
    "hmac": {
      "type": "object", "additionalProperties": false, "required": ["canonical"],
      "properties": {
        "key": {"type": "string", "title": "Key", "default": "[[signingKey]]"},
        "keyEncoding": {"enum": ["", "text", "hex", "base64", "base64url"], "title": "Encoding of the key"},
        "algorithm": {"enum": ["", "sha256", "sha384", "sha512", "sha1"], "title": "Algorithm"},
        "encoding": {"enum": ["", "hex", "base64", "base64url"], "title": "Encoding of the signature"},
        "timestamp": {"enum": ["", "unix", "unix-ms", "rfc3339", "http"], "title": "Timestamp"},
        "canonical": {"type": "string", "minLength": 1, "maxLength": 4096, "title": "Text that is signed"},
        "headers": {"$ref": "#/$defs/headers", "title": "Headers"},
        "query": {"$ref": "#/$defs/query", "title": "Query parameters"}
      }
    },
    "aws": {
      "type": "object", "additionalProperties": false, "required": ["region", "service"],
      "properties": {
        "accessKeyId": {"type": "string", "title": "Access key id", "default": "[[accessKeyId]]"},
        "secretAccessKey": {"type": "string", "title": "Secret access key", "default": "[[secretAccessKey]]"},
        "sessionToken": {"type": "string", "title": "Session token"},
        "region": {"type": "string", "pattern": "^[a-z0-9_-]{1,64}$", "title": "Region"},
        "service": {"type": "string", "pattern": "^[a-z0-9_-]{1,64}$", "title": "Service"}
      }
    },
    "signingKey": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "key": {"type": "string", "title": "Private key", "default": "[[privateKey]]"},
        "id": {"type": "string", "title": "Key id"},
        "algorithm": {"type": "string", "title": "Algorithm"}
      }
    },
    "oauth": {
      "type": "object", "additionalProperties": false, "required": ["clientAuth"],
      "properties": {
        "issuer": {"type": "string", "title": "Issuer"},
        "tokenUrl": {"type": "string", "title": "Token endpoint"},
        "authorizationUrl": {"type": "string", "title": "Authorization endpoint"},
        "deviceUrl": {"type": "string", "title": "Device endpoint"},
        "redirectUrl": {"type": "string", "title": "Redirect URL"},
        "headers": {"$ref": "#/$defs/headers", "title": "Headers"},
        "clientId": {"type": "string", "title": "Client id"},
        "clientAuth": {"enum": ["none", "client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth"], "title": "Client authentication"},
        "clientSecret": {"type": "string", "title": "Client secret"},
        "clientKey": {"$ref": "#/$defs/signingKey", "title": "Key of the client"},
        "clientAudience": {"type": "string", "title": "Audience of the client's assertion"},
        "scope": {"type": "string", "title": "Scope"},
        "audience": {"type": "array", "items": {"type": "string"}, "title": "Audience"},
        "resource": {"type": "array", "items": {"type": "string"}, "title": "Resource"},
        "authorizationParams": {"$ref": "#/$defs/query", "title": "Parameters of the authorization"},
        "tokenParams": {"$ref": "#/$defs/query", "title": "Parameters of the token request"},
        "refreshToken": {"type": "string", "title": "Refresh token"},
        "username": {"type": "string", "title": "User name"},
        "password": {"type": "string", "title": "Password"},
        "assertion": {
          "type": "object", "additionalProperties": false, "title": "Assertion",
          "properties": {
            "key": {"$ref": "#/$defs/signingKey", "title": "Key"},
            "issuer": {"type": "string", "title": "Issuer"},
            "subject": {"type": "string", "title": "Subject"},
            "audience": {"type": "string", "title": "Audience"},
            "life": {"type": "integer", "minimum": 0, "maximum": 3600, "title": "Life in seconds"},
            "claims": {"type": "object", "maxProperties": 100, "additionalProperties": {"type": "string"}, "title": "Claims"}
          }
        },
        "exchange": {
          "type": "object", "additionalProperties": false, "title": "Exchange",
          "properties": {
            "subjectToken": {"type": "string", "title": "Subject token"},
            "subjectTokenType": {"type": "string", "title": "Its type"},
            "actorToken": {"type": "string", "title": "Actor token"},
            "actorTokenType": {"type": "string", "title": "Its type"},
            "requestedTokenType": {"type": "string", "title": "Type asked for"}
          }
        },
        "dpop": {"type": "boolean", "title": "Bind tokens to a key"},
        "keepsRefreshToken": {"type": "boolean", "title": "Refresh tokens stay valid"},
        "grace": {"type": "integer", "minimum": 0, "maximum": 86400, "title": "Grace in seconds"}
      }
    }`
