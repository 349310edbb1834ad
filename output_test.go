package hub_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

const order = `<?xml version="1.0"?><s:Envelope xmlns:s="urn:soap"><s:Body>
<order id="A-17" xmlns="urn:orders"><total> 12.50 </total><paid>true</paid><note>&lt;fragile&gt;</note>
<item sku="1"><name>cord</name></item><item sku="2"><name>set</name></item></order></s:Body></s:Envelope>`

const typed = `{"s":"478","n":478,"f":3.0,"e":1e2,"x":1.5,"t":true,"ts":"false","nil":null,"o":{"a":1},"l":[1],"text":"four","big":12345678901234567890}`

// A value is what the answer says it is; a text becomes a number only where the output says so.
func TestOutputsHaveTypes(t *testing.T) {
	n := func(s string) json.Number { return json.Number(s) }
	const jsonType, xmlType = "application/json", "application/soap+xml; charset=utf-8"
	for name, tt := range map[string]struct {
		kind, body string
		out        hub.Output
		want       any
		rule       string // empty: it is taken
	}{
		"a number in quotes is a text":  {jsonType, typed, hub.Output{Path: "s"}, "478", ""},
		"unless it is to be a number":   {jsonType, typed, hub.Output{Path: "s", Type: hub.OutputNumber}, n("478"), ""},
		"or an integer":                 {jsonType, typed, hub.Output{Path: "s", Type: hub.OutputInteger}, n("478"), ""},
		"a number":                      {jsonType, typed, hub.Output{Path: "n", Type: hub.OutputNumber}, n("478"), ""},
		"a number as a text":            {jsonType, typed, hub.Output{Path: "big", Type: hub.OutputString}, "12345678901234567890", ""},
		"a big number":                  {jsonType, typed, hub.Output{Path: "big", Type: hub.OutputInteger}, n("12345678901234567890"), ""},
		"an integer with a point":       {jsonType, typed, hub.Output{Path: "f", Type: hub.OutputInteger}, n("3"), ""},
		"an integer with an exponent":   {jsonType, typed, hub.Output{Path: "e", Type: hub.OutputInteger}, nil, "type"},
		"no integer":                    {jsonType, typed, hub.Output{Path: "x", Type: hub.OutputInteger}, nil, "type"},
		"no number":                     {jsonType, typed, hub.Output{Path: "text", Type: hub.OutputNumber}, nil, "type"},
		"a truth value":                 {jsonType, typed, hub.Output{Path: "t", Type: hub.OutputBoolean}, true, ""},
		"a truth value in quotes":       {jsonType, typed, hub.Output{Path: "ts", Type: hub.OutputBoolean}, false, ""},
		"no truth value":                {jsonType, typed, hub.Output{Path: "n", Type: hub.OutputBoolean}, nil, "type"},
		"a truth value as a text":       {jsonType, typed, hub.Output{Path: "t", Type: hub.OutputString}, "true", ""},
		"an object":                     {jsonType, typed, hub.Output{Path: "o", Type: hub.OutputObject}, map[string]any{"a": n("1")}, ""},
		"no object":                     {jsonType, typed, hub.Output{Path: "l", Type: hub.OutputObject}, nil, "type"},
		"an array":                      {jsonType, typed, hub.Output{Path: "l", Type: hub.OutputArray}, []any{n("1")}, ""},
		"no array":                      {jsonType, typed, hub.Output{Path: "o", Type: hub.OutputArray}, nil, "type"},
		"an object is no text":          {jsonType, typed, hub.Output{Path: "o", Type: hub.OutputString}, nil, "type"},
		"a count":                       {jsonType, typed, hub.Output{Path: "l.#", Type: hub.OutputInteger}, n("1"), ""},
		"null is a value":               {jsonType, typed, hub.Output{Path: "nil"}, nil, ""},
		"null of a type is none":        {jsonType, typed, hub.Output{Path: "nil", Type: hub.OutputString}, nil, "required"},
		"null of a type has a default":  {jsonType, typed, hub.Output{Path: "nil", Type: hub.OutputString, Default: json.RawMessage(`"-"`)}, "-", ""},
		"another type has no default":   {jsonType, typed, hub.Output{Path: "text", Type: hub.OutputNumber, Default: json.RawMessage(`0`)}, nil, "type"},
		"an element":                    {xmlType, order, hub.Output{Path: "/Envelope/Body/order/note"}, "<fragile>", ""},
		"an element as a number":        {xmlType, order, hub.Output{Path: "//order/total", Type: hub.OutputNumber}, n("12.50"), ""},
		"an element as a truth value":   {xmlType, order, hub.Output{Path: "//paid", Type: hub.OutputBoolean}, true, ""},
		"an attribute":                  {xmlType, order, hub.Output{Path: "//order/@id"}, "A-17", ""},
		"the first of many":             {xmlType, order, hub.Output{Path: "//item/name"}, "cord", ""},
		"the second":                    {xmlType, order, hub.Output{Path: "//item[2]/name"}, "set", ""},
		"all of them":                   {xmlType, order, hub.Output{Path: "//item/@sku", Type: hub.OutputArray}, []any{"1", "2"}, ""},
		"by an attribute":               {xmlType, order, hub.Output{Path: "//item[@sku='2']/name"}, "set", ""},
		"no such element":               {xmlType, order, hub.Output{Path: "//price"}, nil, "required"},
		"no such element, by default":   {xmlType, order, hub.Output{Path: "//price", Default: json.RawMessage(`0`)}, n("0"), ""},
		"XML under another media type":  {"text/plain", order, hub.Output{Path: "//order/@id"}, "A-17", ""},
		"JSON under another media type": {"text/html", typed, hub.Output{Path: "n"}, n("478"), ""},
		"an XPath into JSON":            {jsonType, typed, hub.Output{Path: "/n"}, nil, "required"},
		"a JSON path into XML":          {xmlType, order, hub.Output{Path: "order"}, nil, "required"},
		"XML that is broken":            {xmlType, order[:200], hub.Output{Path: "//order/@id"}, nil, "required"},
		"a header":                      {jsonType, typed, hub.Output{From: hub.FromHeader, Path: "x-left"}, "12", ""},
		"a header as a number":          {jsonType, typed, hub.Output{From: hub.FromHeader, Path: "X-Left", Type: hub.OutputInteger}, n("12"), ""},
		"all of a header":               {jsonType, typed, hub.Output{From: hub.FromHeader, Path: "X-Left", Type: hub.OutputArray}, []any{"12", "13"}, ""},
		"no header":                     {jsonType, typed, hub.Output{From: hub.FromHeader, Path: "X-None"}, nil, "required"},
		"the status":                    {jsonType, typed, hub.Output{From: hub.FromStatus}, n("201"), ""},
		"the status as a text":          {jsonType, typed, hub.Output{From: hub.FromStatus, Type: hub.OutputString}, "201", ""},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("/", hubtest.Bytes(201, tt.kind, []byte(tt.body)).Header("X-Left", "12").Header("X-Left", "13"))
			h := open(t).Tenant("acme")
			connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) { r.Outputs = map[string]hub.Output{"v": tt.out} }))
			res, err := execute(t, h, "go")
			if tt.rule != "" {
				assert.Equal(t, []string{"outputs.v " + tt.rule}, brokenRules(failed(t, err, hub.BadAnswer)))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, map[string]any{"v": tt.want}, res.Outputs)
		})
	}
}

func TestOptionalOutputsAreLeftOut(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(204).Header("X-Id", "7"))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "HEAD", srv.URL, func(r *hub.Request) {
		r.Outputs = map[string]hub.Output{
			"a": {Path: "a", Optional: true}, "b": {Path: "//b", Optional: true, Default: json.RawMessage(`1`)},
			"id": {From: hub.FromHeader, Path: "X-Id"}, "status": {From: hub.FromStatus},
		}
		r.OutputSchema = json.RawMessage(`{"required":["id"],"properties":{"a":{"type":"string"}}}`)
	}))
	res, err := execute(t, h, "go")
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"b": json.Number("1"), "id": "7", "status": json.Number("204")}, res.Outputs)
}

// Nothing in an XML answer costs more than its size, and nothing secret shows in an output.
func TestHostileXMLAnswers(t *testing.T) {
	const key = "key-0123456789abcdef"
	for name, tt := range map[string]struct {
		body string
		want any
		code hub.Code
	}{
		"a secret":             {"<a>" + key + "</a>", "[secret]", ""},
		"in character entries": {"<a>&#x6b;ey-0123456789abcde&#102;</a>", "[secret]", ""},
		"split by a comment":   {"<a>key-01234<!-- -->56789abcdef</a>", "[secret]", ""},
		"an entity":            {`<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`, nil, hub.BadAnswer},
		"as deep as allowed":   {strings.Repeat("<b>", 511) + "<a>x</a>" + strings.Repeat("</b>", 511), "x", ""},
		"too deep":             {strings.Repeat("<b>", 512) + "<a>x</a>" + strings.Repeat("</b>", 512), nil, hub.BadAnswer},
		"a million levels":     {strings.Repeat("<b>", 1e6), nil, hub.BadAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("/", hubtest.Bytes(200, "application/xml", []byte(tt.body)))
			h := open(t).Tenant("acme")
			con := connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
				r.Outputs = map[string]hub.Output{"v": {Path: "//a"}}
				r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}}
			}), func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "key"}} })
			require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New(key)))
			res, err := execute(t, h, "go")
			if tt.code != "" {
				failed(t, err, tt.code)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, res.Outputs["v"])
		})
	}
}

// Rules and their messages read XML as outputs do.
func TestResponseRulesReadXML(t *testing.T) {
	const fault = `<Envelope><Body><Fault><code>busy</code><text>come back</text></Fault></Body></Envelope>`
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Sequence(hubtest.Bytes(200, "text/xml", []byte(fault)), hubtest.Bytes(200, "text/xml", []byte(strings.ReplaceAll(fault, "busy", "broken")))))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
		r.Responses = []hub.ResponseRule{
			{When: hub.AnswerMatch{Path: "//Fault/code", Values: []string{"busy"}}, Then: hub.VerdictRetry},
			{When: hub.AnswerMatch{Path: "/Envelope/Body/Fault"}, Then: hub.VerdictFail, Message: "it says {{//Fault/text}}"},
		}
	}))
	res, err := execute(t, h, "go")
	assert.Equal(t, `it says "come back"`, failed(t, err, hub.Rejected).Detail())
	require.Len(t, res.Attempts, 2)
	assert.Equal(t, []hub.Verdict{hub.VerdictRetry, hub.VerdictFail}, []hub.Verdict{res.Attempts[0].Verdict, res.Attempts[1].Verdict})
}

func TestOutputsAreChecked(t *testing.T) {
	for name, tt := range map[string]struct {
		out  hub.Output
		want string
	}{
		"a source":               {hub.Output{From: "trailer", Path: "a"}, "from enum"},
		"a type":                 {hub.Output{Path: "a", Type: "date"}, "type enum"},
		"a path":                 {hub.Output{}, "path path"},
		"an XPath":               {hub.Output{Path: "/a/text()"}, "path path"},
		"a header's name":        {hub.Output{From: hub.FromHeader, Path: "a b"}, "path header-name"},
		"a header that's none":   {hub.Output{From: hub.FromHeader}, "path header-name"},
		"a status's path":        {hub.Output{From: hub.FromStatus, Path: "a"}, "path status"},
		"an object of XML":       {hub.Output{Path: "/a", Type: hub.OutputObject}, "type source"},
		"a list of the status":   {hub.Output{From: hub.FromStatus, Type: hub.OutputArray}, "type source"},
		"another type's default": {hub.Output{Path: "a", Type: hub.OutputInteger, Default: json.RawMessage(`"x"`)}, "default default-type"},
		"a default of no JSON":   {hub.Output{Path: "a", Default: json.RawMessage(`{a`)}, "default json"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t).Tenant("acme")
			tpl := template(t, h)
			_, err := h.CreateConnector(t.Context(), hub.Connector{
				Name: "con", Template: tpl.ID, Hosts: []string{"api.example.com"},
				Requests: []hub.Request{{Name: "go", Method: "GET", URL: "https://api.example.com", Outputs: map[string]hub.Output{"v": tt.out}}},
			})
			assert.Equal(t, []string{"requests[0].outputs.v." + tt.want}, brokenRules(failed(t, err, hub.Invalid)))
		})
	}
}
