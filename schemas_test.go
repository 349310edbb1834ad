package hub_test

import (
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

// model is one published schema and the method whose definitions it describes.
type model struct {
	name   string
	schema *jsonschema.Schema
	hub    *hub.Hub
	save   func(t testing.TB, h *hub.Tenant, data []byte) error
}

var tenants atomic.Int64 // a fresh tenant for each definition

// accepts returns the code's verdict of a definition in JSON.
func (m *model) accepts(t testing.TB, data []byte) error {
	return m.save(t, m.hub.Tenant("t"+strconv.FormatInt(tenants.Add(1), 10)), data)
}

// admits returns the schema's verdict.
func (m *model) admits(data []byte) error {
	var v any
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return err
	}
	return m.schema.Validate(v)
}

// golden is the definition with every member.
func (m *model) golden(t testing.TB) []byte {
	data, err := os.ReadFile("testdata/" + m.name + ".json")
	require.NoError(t, err)
	return data
}

func models(t testing.TB) map[string]*model {
	h := open(t)
	list := []*model{
		{name: "template", schema: published(t, hub.TemplateSchema), save: saveTemplate},
		{name: "connector", schema: published(t, hub.ConnectorSchema), save: saveConnector},
		{name: "request", schema: published(t, hub.RequestSchema), save: saveRequest},
	}
	byName := map[string]*model{}
	for _, m := range list {
		m.hub, byName[m.name] = h, m
	}
	return byName
}

func published(t testing.TB, source string) *jsonschema.Schema {
	c := jsonschema.NewCompiler()
	c.AssertFormat = true
	c.LoadURL = nil
	require.NoError(t, c.AddResource("hub.json", strings.NewReader(source)))
	s, err := c.Compile("hub.json")
	require.NoError(t, err)
	return s
}

func saveTemplate(t testing.TB, h *hub.Tenant, data []byte) error {
	var tpl hub.Template
	if err := json.Unmarshal(data, &tpl); err != nil {
		return err
	}
	_, err := h.CreateTemplate(t.Context(), tpl)
	return err
}

func saveConnector(t testing.TB, h *hub.Tenant, data []byte) error {
	var con hub.Connector
	if err := json.Unmarshal(data, &con); err != nil {
		return err
	}
	for _, kind := range []hub.AuthKind{hub.AuthOAuth2, hub.AuthNone} {
		tpl := fullTemplate()
		tpl.ID, tpl.Name, tpl.AuthType, tpl.Headers = "for-"+string(kind), string(kind), kind, nil
		if con.Auth.Kind == kind || con.Auth.Kind == "" && kind == hub.AuthOAuth2 {
			tpl.ID = "servicenow"
		}
		if _, err := h.CreateTemplate(t.Context(), tpl); err != nil {
			return err
		}
	}
	_, err := h.CreateConnector(t.Context(), con)
	return err
}

func saveRequest(t testing.TB, h *hub.Tenant, data []byte) error {
	var req hub.Request
	if err := json.Unmarshal(data, &req); err != nil {
		return err
	}
	tpl, con := fullTemplate(), fullConnector()
	con.Requests, con.Paused = nil, false
	if _, _, err := h.CreateTemplateAndConnector(t.Context(), tpl, con); err != nil {
		return err
	}
	_, err := h.AddRequest(t.Context(), con.ID, req)
	return err
}

// edited returns a definition in JSON with one value put in, or taken out for nil.
func edited(t testing.TB, data []byte, path string, value any) []byte {
	t.Helper()
	var v any
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	require.NoError(t, dec.Decode(&v))
	out, err := json.Marshal(put(v, strings.Split(path, "."), value))
	require.NoError(t, err)
	return out
}

func put(v any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	if list, ok := v.([]any); ok {
		i, _ := strconv.Atoi(path[0])
		list[i] = put(list[i], path[1:], value)
		return list
	}
	members, ok := v.(map[string]any)
	if !ok {
		members = map[string]any{}
	}
	if value == nil && len(path) == 1 {
		delete(members, path[0])
		return members
	}
	members[path[0]] = put(members[path[0]], path[1:], value)
	return members
}

func TestSchemasAcceptEveryMember(t *testing.T) {
	for name, m := range models(t) {
		assert.NoError(t, m.admits(m.golden(t)), name)
		assert.NoError(t, m.accepts(t, m.golden(t)), name)
	}
}

// agreed are values that both take or both refuse.
var agreed = []struct {
	model, path string
	value       any // nil: the member is left out
	ok          bool
}{
	{"template", "id", "", true},
	{"template", "id", strings.Repeat("a", 64), true},
	{"template", "id", strings.Repeat("a", 65), false},
	{"template", "id", "A", false},
	{"template", "name", nil, false},
	{"template", "name", "", false},
	{"template", "name", strings.Repeat("n", 255), true},
	{"template", "name", strings.Repeat("n", 256), false},
	{"template", "name", "a\x00b", false},
	{"template", "name", "a\u0085b", false},
	{"template", "name", "日本 🎫 \u202e", true},
	{"template", "application", "a\nb", false},
	{"template", "integrationMethod", "SOAP", false},
	{"template", "integrationMethod", "", true},
	{"template", "authType", "basic-ish", false},
	{"template", "authType", "none", false}, // a header stands on the authentication request
	{"template", "description", strings.Repeat("d", 4096), true},
	{"template", "description", strings.Repeat("d", 4097), false},
	{"template", "methods", nil, false},
	{"template", "methods", []any{}, false},
	{"template", "methods", []any{"GET", "GET"}, false},
	{"template", "methods", []any{"TRACE"}, false},
	{"template", "headers.0.name", "Host", false},
	{"template", "headers.0.name", "proxy_auth", false},
	{"template", "headers.0.name", "content-TYPE", false},
	{"template", "headers.0.name", "X Y", false},
	{"template", "headers.0.on", "answer", false},
	{"template", "headers.0.default", "a\tb", false},
	{"template", "allowedHosts", []any{"https://a.example"}, false},
	{"template", "allowedHosts", []any{""}, false},
	{"template", "allowedHosts", []any{"[2001:db8::1]:8443", "2001:db8::1", "bücher.example"}, true},
	{"template", "fields.0.key", "1st", false},
	{"template", "fields.0.key", nil, false},
	{"template", "fields.0.format", "ipv4", false},
	{"template", "fields.1.default", "x", false}, // of a secret
	{"template", "fields.1.visibleWhen.values", []any{}, false},
	{"template", "verify.method", nil, false},
	{"template", "verify.url", "", false},
	{"template", "verify.query.0.name", "", false},
	{"template", "verify.success.statuses", []any{}, false},
	{"template", "limits.timeout", -1, false},
	{"template", "limits.extra", 1, false},
	{"template", "Name", "twin", false},
	{"template", "description", 1, false},
	{"template", "createdAt", "yesterday", false},

	{"connector", "template", nil, false},
	{"connector", "template", "", false},
	{"connector", "template", "No Such", false},
	{"connector", "templateVersion", -1, false},
	{"connector", "name", "a\x7f", false},
	{"connector", "hosts", []any{"eu.example.com", "user@eu.example.com"}, false},
	{"connector", "auth.kind", "", true},
	{"connector", "auth.kind", "none", false}, // with a request
	{"connector", "auth.request.url", nil, false},
	{"connector", "auth.request.method", "", true},
	{"connector", "auth.request.method", "post", false},
	{"connector", "headers.0.value", "a\tb", true},
	{"connector", "headers.0.value", "a\r\nb", false},
	{"connector", "timeout", 0, true},
	{"connector", "timeout", -1, false},
	{"connector", "variables.1st", "x", false},
	{"connector", "variables.region", 1, false},
	{"connector", "secrets.0.name", "a b", false},
	{"connector", "secrets.0.places", []any{"cookie:a"}, false},
	{"connector", "secrets.0.places", []any{"header:"}, false},
	{"connector", "tls.minVersion", "1.1", false},
	{"connector", "tls.key", nil, false},
	{"connector", "tls.certificate", nil, false},
	{"connector", "tags", []any{"a", "a"}, false},
	{"connector", "tags", []any{""}, false},
	{"connector", "tags", []any{strings.Repeat("t", 65)}, false},
	{"connector", "paused", "no", false},
	{"connector", "requests.0.url", nil, false},
	{"connector", "surprise", true, false},

	{"request", "name", nil, false},
	{"request", "trigger", nil, false}, // manual, with a payload
	{"request", "trigger", "cron", false},
	{"request", "payloadMode", nil, false},
	{"request", "payloadMode", "dynamic", false}, // with a form
	{"request", "state", "paused", false},
	{"request", "method", "", false},
	{"request", "url", nil, false},
	{"request", "form.0.name", "", false},
	{"request", "body", "x", false}, // beside a form
	{"request", "timeout", -1, false},
	{"request", "payloadSchema", "object", false},
	{"request", "outputs.a b", map[string]any{"path": "a"}, false},
	{"request", "outputs.number.path", "", false},
	{"request", "outputs.trace.path", "X Y", false},
	{"request", "outputs.trace.path", "", false},
	{"request", "outputs.trace.type", "object", false},
	{"request", "outputs.trace.type", "date", false},
	{"request", "outputs.trace.type", "", true},
	{"request", "outputs.status.path", "status", false},
	{"request", "outputs.status.type", "boolean", false},
	{"request", "outputs.status.from", "trailer", false},
	{"request", "outputs.number.path", "/a/b", true},
	{"request", "outputs.number.from", "", true},
	{"request", "retry.idempotencyHeader", nil, false}, // with a key
	{"request", "retry.idempotencyKey", "a\nb", false},
	{"request", "retry.idempotencyKey", nil, true},
	{"request", "success.statuses", []any{"2xx", "404", "500-599"}, true},
	{"request", "success.statuses", []any{"6xx"}, false},
	{"request", "success.statuses", []any{"+404"}, false},
	{"request", "responses.0.then", nil, false},
	{"request", "responses.0.then", "hope", false},
	{"request", "responses.0.when.path", nil, false},
	{"request", "responses.0.when.header", nil, false},
	{"request", "responses.1.when.path", "", false},
	{"request", "responses.1.when.header", "", false},
	{"request", "responses.0.when.header", "Content-Type", true},
	{"request", "responses.0.when.header", "X Y", false},
	{"request", "responses.1.when", map[string]any{}, true}, // the last one
	{"request", "responses.1.when", nil, true},
	{"request", "responses.0.message", "a\nb", false},
	{"request", "bodyFile", "scan", false}, // beside form
	{"request", "form.1.file", "a b", false},
	{"request", "form.1.file", "", true},
	{"request", "form.1.value", "x", false}, // beside file
	{"request", "pagination.kind", nil, false},
	{"request", "pagination.kind", "token", false},
	{"request", "pagination.kind", "cursor", false},
	{"request", "pagination.kind", "link", false},
	{"request", "pagination.kind", "next-url", false},
	{"request", "pagination.kind", "offset", true},
	{"request", "pagination.items", nil, false},
	{"request", "pagination.next", "a", false},
	{"request", "pagination.start", -1, false},
	{"request", "pagination.start", nil, true},
	{"request", "pagination.param", "x", false}, // beside member
	{"request", "pagination.member", "a b", false},
	{"request", "pagination.member", nil, false},
	{"request", "pagination", nil, true},
	{"request", "fallback.staleFor", -1, false},
	{"request", "fallback.staleFor", 604801, false},
	{"request", "fallback.staleFor", 0, true},
	{"request", "fallback.outputs", []any{}, false},
	{"request", "fallback.outputs", nil, false}, // there is no staleFor
	{"connector", "requests.1.fallback.outputs", nil, true},
	{"connector", "requests.1.fallback.staleFor", 604800, true},
	{"request", "fallback", map[string]any{}, false},
	{"request", "retry.attempts", -1, false},
	{"request", "retry.idempotencyHeader", "", false}, // with a key
	{"request", "retry.idempotencyHeader", "Host", false},
	{"request", "retry.statuses", []any{}, true},
}

func TestSchemasAgreeWithTheCode(t *testing.T) {
	all := models(t)
	for _, c := range agreed {
		value, _ := json.Marshal(c.value)
		if len(value) > 40 {
			value = value[:40]
		}
		t.Run(c.model+"."+c.path+"="+string(value), func(t *testing.T) {
			m := all[c.model]
			data := edited(t, m.golden(t), c.path, c.value)
			code, schema := m.accepts(t, data), m.admits(data)
			assert.Equal(t, c.ok, code == nil, "the code: %v", code)
			assert.Equal(t, c.ok, schema == nil, "the schema: %v", schema)
			var e *hub.Error
			if code != nil && assert.True(t, errors.As(code, &e)) {
				assert.NotEmpty(t, e.Fields, "a refusal names fields")
			}
		})
	}
}
