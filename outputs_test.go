package hub_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

func TestOutputsAreTakenFromTheAnswer(t *testing.T) {
	const answer = `{"s":"text","n":12345678901234567890,"f":1.10,"e":1e2,"t":true,"nil":null,
		"o":{"n":12345678901234567891},"l":[1,"x"],"items":[{"id":1,"state":"open"},{"id":2,"state":"done"},{"id":3,"state":"open"}],"":"nameless"}`
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Bytes(200, "application/json", []byte(answer)))
	n := func(s string) json.Number { return json.Number(s) }
	for name, tt := range map[string]struct {
		path string
		want any
	}{
		"text":             {"s", "text"},
		"a big number":     {"n", n("12345678901234567890")},
		"digits as sent":   {"f", n("1.10")},
		"an exponent":      {"e", n("1e2")},
		"true":             {"t", true},
		"null is a value":  {"nil", nil},
		"an object":        {"o", map[string]any{"n": n("12345678901234567891")}},
		"a list":           {"l", []any{n("1"), "x"}},
		"a count":          {"items.#", n("3")},
		"one of each":      {"items.#.id", []any{n("1"), n("2"), n("3")}},
		"the first match":  {`items.#(state=="done").id`, n("2")},
		"all that match":   {`items.#(state=="open")#.id`, []any{n("1"), n("3")}},
		"an element":       {"items.1.state", "done"},
		"an empty list":    {`items.#(state=="lost")#.id`, []any{}},
		"a missing member": {"absent", "fallback"},
		"no such element":  {"items.9.id", "fallback"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t).Tenant("acme")
			connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
				r.Outputs = map[string]hub.Output{"v": {Path: tt.path, Default: json.RawMessage(`"fallback"`)}}
			}))
			res, err := execute(t, h, "go")
			require.NoError(t, err)
			assert.Equal(t, map[string]any{"v": tt.want}, res.Outputs)
		})
	}
}

func TestDefaultsAreAnyJSONAndStandInForAnAnswerWithoutJSON(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/empty", hubtest.Status(204))
	srv.Handle("/text", hubtest.Text(200, "{}} no JSON"))
	h := open(t).Tenant("acme")
	outputs := func(r *hub.Request) {
		r.Outputs = map[string]hub.Output{
			"number": {Path: "n", Default: json.RawMessage(`12345678901234567890`)},
			"null":   {Path: "n", Default: json.RawMessage(`null`)},
			"list":   {Path: "n", Default: json.RawMessage(`[1]`)},
		}
	}
	connector(t, h, srv, manual("empty", "GET", srv.URL+"/empty", outputs), manual("text", "GET", srv.URL+"/text", outputs))
	for _, name := range []string{"empty", "text"} {
		res, err := execute(t, h, name)
		require.NoError(t, err)
		assert.Equal(t, map[string]any{"number": json.Number("12345678901234567890"), "null": nil, "list": []any{json.Number("1")}}, res.Outputs)
	}
}

func TestAllOutputsThatAreMissingAreNamedAtOnce(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.JSON(200, map[string]string{"b": "there"}))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
		r.Outputs = map[string]hub.Output{"c": {Path: "x.c"}, "a": {Path: "x.a"}, "b": {Path: "b"}}
	}))
	res, err := execute(t, h, "go")
	e := failed(t, err, hub.BadAnswer)
	assert.Equal(t, []string{"outputs.a required", "outputs.c required"}, brokenRules(e))
	assert.Equal(t, 200, e.Status)
	assert.Empty(t, res.Outputs)
	assert.Equal(t, "there", res.Get("b").String())
	assert.Equal(t, hub.OnError, res.Branch)
	assert.False(t, e.Retryable)
}

func TestTheOutputSchemaHoldsForAllOutputsTogether(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.JSON(200, map[string]any{"id": "canary-17", "n": 3}))
	h := open(t).Tenant("acme")
	contract := func(schema string) func(*hub.Request) {
		return func(r *hub.Request) {
			r.Outputs = map[string]hub.Output{"id": {Path: "id"}, "n": {Path: "n"}}
			r.OutputSchema = json.RawMessage(schema)
		}
	}
	connector(t, h, srv,
		manual("good", "GET", srv.URL, contract(`{"required":["id","n"],"properties":{"n":{"type":"integer"}}}`)),
		manual("bad", "GET", srv.URL, contract(`{"properties":{"id":{"type":"integer"},"n":{"maximum":2}}}`)))
	_, err := execute(t, h, "good")
	require.NoError(t, err)
	res, err := execute(t, h, "bad")
	e := failed(t, err, hub.BadAnswer)
	assert.Equal(t, []string{"outputs/id type", "outputs/n maximum"}, brokenRules(e))
	assert.NotContains(t, err.Error(), "canary")
	assert.Empty(t, res.Outputs)
}

// What is nested too deep for a parser is never given to one.
func TestTheDepthOfAnAnswerIsBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		depth int
		good  bool
	}{"512 levels": {512, true}, "513 levels": {513, false}, "a million levels": {1_000_000, false}} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("/", hubtest.Bytes(200, "application/json", []byte(strings.Repeat("[", tt.depth)+strings.Repeat("]", tt.depth))))
			h := open(t).Tenant("acme")
			connector(t, h, srv, manual("go", "GET", srv.URL))
			res, err := execute(t, h, "go")
			if tt.good {
				require.NoError(t, err)
				assert.True(t, res.Get("0").Exists())
				return
			}
			failed(t, err, hub.BadAnswer)
			assert.Len(t, res.Body, 2*tt.depth)
			assert.False(t, res.Get("0").Exists())
		})
	}
}

// Plain paths are followed together, in one pass, and any others by gjson: both lead to the same values.
func TestOutputsTakenTogetherAreThoseTakenAlone(t *testing.T) {
	paths := []string{"a", "a.b", "a.b.c", "b", "c", "a.d", "very.long.way.to.a.value.in.there", "very.long.way.to.a.value.in.there.and.on"}
	types := []hub.OutputType{"", hub.OutputString, hub.OutputNumber, hub.OutputInteger, hub.OutputBoolean, hub.OutputObject, hub.OutputArray}
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
		r.Outputs = map[string]hub.Output{}
		for i, path := range paths[:7] {
			r.Outputs["p"+strconv.Itoa(i)] = hub.Output{Path: path, Optional: true}
			r.Outputs["q"+strconv.Itoa(i)] = hub.Output{Path: "@this." + path, Optional: true}
		}
	}), manual("beyond", "GET", srv.URL, func(r *hub.Request) {
		r.Outputs = map[string]hub.Output{"p": {Path: paths[7], Optional: true}, "q": {Path: "@this." + paths[7], Optional: true}}
	}), manual("typed", "GET", srv.URL, func(r *hub.Request) {
		r.Outputs = map[string]hub.Output{}
		for i, kind := range types {
			r.Outputs["p"+strconv.Itoa(i)] = hub.Output{Path: "a.b", Type: kind, Optional: true}
			r.Outputs["q"+strconv.Itoa(i)] = hub.Output{Path: "@this.a.b", Type: kind, Optional: true}
		}
	}))
	long := strings.Repeat("long ", 30)
	for _, answer := range []string{
		`{"a":{"b":{"c":[1,{"x":2}]},"d":"x"},"b":1.10,"c":true}`, ` { "c" : null , "b" : "\u00e9\n" , "a" : [ {"b":1} ] } `, `{"a":1,"a":{"b":"second"}}`, `{"a":{"b":"` + long + `","d":"` + long + `"},"b":"short"}`,
		`{"\u0061":{"b":7},"b":8}`, `{"a":{"\u0062":7},"b":8}`, `{"a":{"b":"7"}}`, `{"a":{"b":7.0}}`, `{"a":{"b":false}}`, `{"a":{"b":[]}}`, `{"a":{"b":{}}}`, `{"a":{"b":null}}`, `[{"a":1}]`, `"a"`, `{}`, `no JSON`, "{\"a\":\"\xff\"}", `{"a":{"b":"12345678901234567890"}}`,
		`{"very":{"long":{"way":{"to":{"a":{"value":{"in":{"there":{"and":{"on":"found"}}}}}}}}}}`,
	} {
		srv.Handle("/", hubtest.Bytes(200, "application/json", []byte(answer)))
		for _, request := range []string{"go", "beyond", "typed"} {
			res, err := execute(t, h, request)
			if err != nil { // of another type: then all of them are, one way and the other
				var e *hub.Error
				require.ErrorAs(t, err, &e, answer)
				require.Zero(t, len(e.Fields)%2, "%v of %s", e.Fields, answer)
				continue
			}
			for name, v := range res.Outputs {
				twin, ok := res.Outputs[strings.Replace(name, "p", "q", 1)]
				require.True(t, ok, "%s of %s", name, answer)
				require.Equal(t, twin, v, "%s of %s", name, answer)
			}
			require.Zero(t, len(res.Outputs)%2, "%v of %s", res.Outputs, answer)
		}
	}
}
