package hub_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

var update = flag.Bool("update", false, "write the goldens anew")

// pixel is a GIF of one pixel.
var pixel = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

// fullTemplate sets every member of a template.
func fullTemplate() hub.Template {
	return hub.Template{
		ID: "servicenow", Version: 1, Revision: 7, System: true,
		Name: "ServiceNow", Application: "ServiceNow", IntegrationMethod: hub.REST, AuthType: hub.AuthOAuth2,
		Description: "Tickets & <more>\nin two lines", Icon: slices.Clone(pixel), IconType: "image/gif",
		Methods: []string{"GET", "POST", "PUT"},
		Headers: []hub.TemplateHeader{
			{Name: "X-Tenant", Required: true, On: hub.OnRequest, Default: "[[region]]", Help: "Which tenant"},
			{Name: "X-Auth-Tenant", On: hub.OnAuth, Default: "x"},
		},
		AllowedHosts: []string{"*.example.com", "api.example.org:8443"},
		Fields: []hub.Field{
			{
				Key: "region", Title: "Region", Description: "Where", Required: true, Pattern: "[a-z]+", Enum: []string{"eu", "us"},
				Format: "hostname", Default: "eu", Order: 1,
			},
			{Key: "clientSecret", Secret: true, VisibleWhen: &hub.Condition{Field: "region", Values: []string{"eu"}}},
		},
		Verify: &hub.Verify{
			Method: "POST", URL: "https://[[region]].example.com/me", Headers: []hub.Header{{Name: "X-A", Value: "b"}},
			Query: []hub.Param{{Name: "q", Value: "[[region]]"}}, MediaType: "application/json", Body: `{"a":"[[region]]"}`,
			Success: &hub.Success{Statuses: []string{"200"}},
		},
		Limits:    hub.TemplateLimits{Timeout: 60000, Attempts: 3, ResponseBytes: 1 << 20, Concurrency: 50, RateLimit: &hub.RateLimit{Requests: 100, Per: 60_000, Burst: 10}},
		CreatedAt: time.Date(2026, 11, 22, 1, 2, 3, 4000, time.UTC),
	}
}

// fullRequest sets every member of a request but Body and BodyFile, which exclude Form.
func fullRequest() hub.Request {
	return hub.Request{
		ID: "create", Name: "create-ticket", Description: "Creates a ticket", Trigger: hub.TriggerStudio,
		PayloadMode: hub.PayloadMapped, State: hub.StateActive,
		Method: "POST", URL: "https://[[region]].example.com/tickets/{{id}}",
		Headers: []hub.Header{{Name: "X-Request", Value: "{{id as string}}"}},
		Query:   []hub.Param{{Name: "dry", Value: `{{dry ?? "no"}}`}}, MediaType: "multipart/form-data",
		Form:    []hub.FormField{{Name: "file", Value: "{{text}}", FileName: "a.txt", MediaType: "text/plain"}, {Name: "scan", File: "scan"}},
		Timeout: 5000, RateLimit: &hub.RateLimit{Requests: 1, Per: 1000, Burst: 1},
		PayloadSchema: json.RawMessage(`{"type":"object","required":["id"]}`), Sample: json.RawMessage(`{"id":1,"text":"<a>&\u2028"}`),
		Outputs: map[string]hub.Output{
			"number": {Path: "result.number", Default: json.RawMessage(`null`)},
			"trace":  {From: hub.FromHeader, Path: "X-Trace", Type: hub.OutputString, Optional: true},
			"status": {From: hub.FromStatus, Type: hub.OutputInteger},
		},
		OutputSchema: json.RawMessage(`{"type":"object"}`),
		Responses: []hub.ResponseRule{
			{When: hub.AnswerMatch{
				Statuses: []string{"200"}, MediaTypes: []string{"application/json", "text/*"}, Header: "X-State", HeaderValues: []string{"busy"},
				Path: "error.code", Values: []string{"17"}, Contains: "try later",
			}, Then: hub.VerdictRetry, Message: `{{error.message ?? "no reason"}} ({{@status}})`},
			{When: hub.AnswerMatch{Header: "X-Result", HeaderAbsent: true, Path: "result", Absent: true}, Then: hub.VerdictFail},
		},
		Success: &hub.Success{Statuses: []string{"2xx", "404", "301-303"}},
		Retry:   &hub.Retry{Attempts: 2, Idempotent: true, IdempotencyHeader: "Idempotency-Key", IdempotencyKey: "ticket-{{id}}", Statuses: []string{"503"}},
		Pagination: &hub.Pagination{
			Kind: hub.PageNumber, Items: "items", More: "more", Member: "page", Start: new(int),
		},
		Fallback: &hub.Fallback{Outputs: json.RawMessage(`{"number":"none","status":0}`)},
	}
}

// fullConnector sets every member of a connector made from fullTemplate.
func fullConnector() hub.Connector {
	body := fullRequest()
	body.ID, body.Name, body.MediaType, body.Form = "read", "read-ticket", "application/json", nil
	body.State, body.Body = hub.StateInactive, `{"id":"{{id}}"}`
	body.Retry, body.Fallback = &hub.Retry{Idempotent: true}, &hub.Fallback{StaleFor: 600, Outputs: body.Fallback.Outputs} // neither files nor a key
	at := time.Date(2026, 11, 22, 1, 2, 3, 4000, time.UTC)
	return hub.Connector{
		ID: "servicenow-eu", Revision: 9, Template: "servicenow", TemplateVersion: 1, Name: "ServiceNow EU",
		Hosts: []string{"eu.example.com", "api.example.org:8443"},
		Auth: hub.Auth{Kind: hub.AuthOAuth2, Request: &hub.AuthRequest{
			URL: "https://[[region]].example.com/token", Method: "POST", Headers: []hub.Header{{Name: "Accept", Value: "application/json"}},
			Query: []hub.Param{{Name: "tenant", Value: "[[tenant]]"}}, MediaType: "application/x-www-form-urlencoded",
			Body: "grant_type=client_credentials&client_secret=[[clientSecret]]",
		}},
		Headers: []hub.Header{{Name: "X-Tenant", Value: "[[tenant]]"}}, Timeout: 20000, Concurrency: 20, RateLimit: &hub.RateLimit{Requests: 10, Per: 1000, Burst: 5},
		Variables: map[string]string{"region": "eu", "tenant": "acme <1>"},
		Secrets: []hub.Secret{
			{Name: "clientSecret", Description: "Of the client", Hosts: []string{"eu.example.com"}, Places: []string{"auth", "header:X-Key", "body:/a"}},
			{Name: "key"},
		},
		TLS:      &hub.TLS{CA: fixedCA, Certificate: fixedCA, Key: "key", MinVersion: "1.3"},
		Requests: []hub.Request{fullRequest(), body}, Tags: []string{"crm", "eu"}, Paused: true,
		CreatedAt: at, UpdatedAt: at,
	}
}

// The goldens are the documented encoding: a change of them breaks what users have stored
// and what their front ends read.
func TestEncodingIsStable(t *testing.T) {
	for _, c := range []struct {
		name string
		full any
		free []string // members that exclude others
	}{
		{"template", fullTemplate(), nil},
		{"connector", fullConnector(), nil},
		{"request", fullRequest(), []string{"Body", "BodyFile"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := reflect.ValueOf(c.full)
			for i := range v.NumField() {
				if name := v.Type().Field(i).Name; !slices.Contains(c.free, name) {
					assert.False(t, v.Field(i).IsZero(), "%s is not set", name)
				}
			}
			got, err := json.MarshalIndent(c.full, "", "  ")
			require.NoError(t, err)
			file := filepath.Join("testdata", c.name+".json")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(file, append(got, '\n'), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got)+"\n")

			again := reflect.New(v.Type())
			require.NoError(t, json.Unmarshal(want, again.Interface()))
			encoded, err := json.MarshalIndent(again.Elem().Interface(), "", "  ")
			require.NoError(t, err)
			assert.Equal(t, string(want), string(encoded)+"\n", "decoding and encoding again changes nothing")
		})
	}
}

// Whatever is saved comes back as it was, but for what the hub sets.
func TestEveryMemberSurvivesSaving(t *testing.T) {
	h := open(t).Tenant("acme")
	savesEveryMember(t, h)
}

func savesEveryMember(t *testing.T, h *hub.Tenant) {
	t.Helper()
	tpl, err := h.CreateTemplate(t.Context(), fullTemplate())
	require.NoError(t, err)
	wantTpl := fullTemplate()
	wantTpl.System, wantTpl.Icon = false, nil
	wantTpl.Revision, wantTpl.CreatedAt = tpl.Revision, tpl.CreatedAt
	requireSame(t, wantTpl, tpl)
	got, err := h.GetTemplate(t.Context(), tpl.ID)
	require.NoError(t, err)
	requireSame(t, tpl, got)
	templates, err := h.ListTemplates(t.Context(), hub.ListOptions{})
	require.NoError(t, err)
	requireSame(t, []hub.Template{tpl}, templates.Items)
	icon, err := h.TemplateIcon(t.Context(), tpl.ID, 1)
	require.NoError(t, err)
	assert.Equal(t, hub.Icon{Type: "image/gif", Data: pixel}, icon)

	con, err := h.CreateConnector(t.Context(), fullConnector())
	require.NoError(t, err)
	want := fullConnector()
	want.Revision, want.CreatedAt, want.UpdatedAt = con.Revision, con.CreatedAt, con.UpdatedAt
	requireSame(t, want, con)
	read, err := h.GetConnector(t.Context(), con.ID)
	require.NoError(t, err)
	requireSame(t, con, read)
	connectors, err := h.ListConnectors(t.Context(), hub.ListOptions{})
	require.NoError(t, err)
	requireSame(t, []hub.Connector{con}, connectors.Items)
	for _, r := range con.Requests {
		one, err := h.GetRequest(t.Context(), con.ID, r.Name)
		require.NoError(t, err)
		requireSame(t, r, one)
	}
}

// requireSame compares definitions by their encoding: blanks inside raw JSON do not count.
func requireSame(t *testing.T, want, got any) {
	t.Helper()
	w, err := json.Marshal(want)
	require.NoError(t, err)
	g, err := json.Marshal(got)
	require.NoError(t, err)
	require.Equal(t, string(w), string(g))
}

// server returns an upstream that answers every call with {}.
func server(t *testing.T) *hubtest.Server {
	t.Helper()
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.JSON(200, map[string]any{}))
	return srv
}

// fixedCA is a certificate that never changes, as goldens need.
const fixedCA = `-----BEGIN CERTIFICATE-----
MIIBVDCB+6ADAgECAgEBMAoGCCqGSM49BAMCMBkxFzAVBgNVBAMTDnRlc3QgYXV0
aG9yaXR5MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAZMRcwFQYD
VQQDEw50ZXN0IGF1dGhvcml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGjX
KDl455VX3sy4mlPcwRXq98aB2FWm7DQ6/ol+VfAk0k9ptn6SQMRbjYEr/0RWJ59m
zvujNTZlz5rwWfeLsAujMjAwMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFBhP
XrJi0kdnH5xBR3xtYpt1If3OMAoGCCqGSM49BAMCA0gAMEUCIEH5D3K6p7UqVtWA
MRVLVTJV1UxvkFu0POnwu1OgbYX/AiEAioQV31iYmRcdqDLDr26cXHCwwseJ+6VA
CFB/v7BUMhU=
-----END CERTIFICATE-----
`
