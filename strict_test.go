package hub_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

func TestDecodingIsStrict(t *testing.T) {
	for name, c := range map[string]struct {
		json string
		want []string // empty: accepted
	}{
		"empty object":       {`{}`, nil},
		"blanks":             {" \n{ \"name\" : \"n\" }\t", nil},
		"unknown member":     {`{"nam":"x"}`, []string{"nam unknown-field"}},
		"deep down":          {`{"requests":[{},{},{"headers":[{"nmae":"x"}]}]}`, []string{"requests[2].headers[0].nmae unknown-field"}},
		"case twin":          {`{"Name":"x","name":"y"}`, []string{"Name unknown-field"}},
		"wrong types":        {`{"name":1,"hosts":"h","timeout":"1","paused":0,"variables":{"a":true},"tls":[]}`, []string{"hosts type", "name type", "paused type", "timeout type", "tls type", "variables.a type"}},
		"null":               {`{"name":null,"requests":[null]}`, []string{"name type", "requests[0] type"}},
		"twice":              {`{"name":"a","tls":{"ca":"","ca":""}}`, []string{"definition/tls/ca duplicate-member"}},
		"twice by escape":    {`{"name":"a","n\u0061me":"b"}`, []string{"definition/name duplicate-member"}},
		"point":              {`{"timeout":1.0}`, []string{"timeout type"}},
		"exponent":           {`{"timeout":1e3}`, []string{"timeout type"}},
		"huge number":        {`{"timeout":99999999999999999999}`, []string{"timeout range"}},
		"huge exponent":      {`{"timeout":1e999999999}`, []string{"timeout type"}},
		"no time":            {`{"createdAt":"yesterday"}`, []string{"createdAt format"}},
		"deep sample":        {`{"requests":[{"sample":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}]}`, nil},
		"too deep":           {strings.Repeat(`[`, 100_000), []string{"too-deep"}},
		"no JSON":            {`{"name":`, []string{"syntax"}},
		"two texts":          {`{} {}`, []string{"syntax"}},
		"array":              {`[]`, []string{"definition type"}},
		"null alone":         {`null`, []string{"definition type"}},
		"hostile name":       {`{"a\u001b[31m` + strings.Repeat("z", 200) + `":1}`, []string{"unknown-field"}},
		"no UTF-8":           {"{\"name\":\"\xff\"}", []string{"definition/name invalid-utf8"}},
		"half of a pair":     {`{"name":"\ud800"}`, []string{"definition/name lone-surrogate"}},
		"more than a record": {`{"name":"` + strings.Repeat("n", 1<<20) + `"}`, []string{"too-large"}},
	} {
		t.Run(name, func(t *testing.T) {
			var con hub.Connector
			err := json.Unmarshal([]byte(c.json), &con)
			if len(c.want) == 0 {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			var e *hub.Error
			if !errors.As(err, &e) { // encoding/json saw that it is no JSON before it asked us
				assert.Contains(t, []string{"no JSON", "two texts", "too deep"}, name)
				err = con.UnmarshalJSON([]byte(c.json))
			}
			found := rules(t, err)
			for i, want := range c.want {
				if strings.Contains(want, " ") {
					assert.Equal(t, want, found[i])
				}
			}
			assert.NotContains(t, err.Error(), "\x1b")
			assert.Less(t, len(err.Error()), 2000)
		})
	}
	var icon hub.Template
	assert.Equal(t, []string{"icon format"}, rules(t, json.Unmarshal([]byte(`{"icon":"?"}`), &icon)))
}

// Drafts that a program has not finished travel, too.
func TestUnfinishedDefinitionsEncodeAndDecode(t *testing.T) {
	for _, draft := range []any{&hub.Template{Fields: []hub.Field{{VisibleWhen: &hub.Condition{}}}}, &hub.Connector{}, &hub.Request{Success: &hub.Success{}}} {
		data, err := json.Marshal(draft)
		require.NoError(t, err)
		assert.NoError(t, json.Unmarshal(data, draft), string(data))
	}
}

// Whatever is decoded can be judged, and what is accepted comes back as it was.
func FuzzDecodeConnector(f *testing.F) {
	m := models(f)["connector"]
	f.Add(m.golden(f))
	f.Add([]byte(`{"name":"c","template":"servicenow","requests":[{"name":"r","method":"GET","url":"https://{{a}}"}]}`))
	f.Add([]byte(`{"name":"c","template":"servicenow","auth":{"kind":"session","session":{"expires":{}}},"tls":{"ca":"-----BEGIN"}}`))
	f.Add([]byte(`{"requests":[{"form":[{}],"outputs":{"":{}},"retry":{},"success":{}}],"auth":{"oauth":{"assertion":{}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var con hub.Connector
		if err := json.Unmarshal(data, &con); err != nil {
			return
		}
		encoded, err := json.Marshal(con)
		require.NoError(t, err)
		var again hub.Connector
		require.NoError(t, json.Unmarshal(encoded, &again))
		encodedAgain, err := json.Marshal(again)
		require.NoError(t, err)
		require.True(t, bytes.Equal(encoded, encodedAgain))
		if err := m.accepts(t, data); err == nil {
			require.NoError(t, m.admits(data), "the code accepts what the schema refuses")
		}
	})
}
