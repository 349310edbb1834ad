package schema_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/payload"
	"github.com/integrationhub/hub/internal/schema"
)

// FuzzCompile takes any schema, and validates with it if it is one: nothing panics, and errors are of the documented
// types.
func FuzzCompile(f *testing.F) {
	for _, c := range keywords {
		f.Add([]byte(c.schema), []byte(c.bad))
	}
	for _, bomb := range bombs {
		if len(bomb.payload) < 1000 {
			f.Add([]byte(bomb.schema), []byte(bomb.payload))
		}
	}
	f.Fuzz(func(t *testing.T, src, data []byte) {
		s, err := schema.Compile(src, schema.Limits{})
		if err != nil {
			requireProblem(t, err)
			return
		}
		requireJudged(t, s, data)
	})
}

// FuzzValidate takes any payload for schemas that use every keyword.
func FuzzValidate(f *testing.F) {
	var all []*schema.Schema
	for _, c := range keywords {
		s, err := schema.Compile([]byte(c.schema), schema.Limits{})
		if err == nil {
			all = append(all, s)
		}
		f.Add([]byte(c.good))
		f.Add([]byte(c.bad))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, s := range all {
			requireJudged(t, s, data)
		}
	})
}

func requireJudged(t *testing.T, s *schema.Schema, data []byte) {
	t.Helper()
	err := s.Validate(data)
	if err == nil {
		require.True(t, json.Valid(data))
		return
	}
	var v *schema.Violations
	if !errors.As(err, &v) {
		requireProblem(t, err)
		return
	}
	require.NotEmpty(t, v.List)
	require.LessOrEqual(t, len(v.List), v.Total)
	require.Less(t, len(err.Error()), 256<<10)
}

func requireProblem(t *testing.T, err error) {
	t.Helper()
	var (
		p *schema.Problem
		j *payload.Problem
	)
	require.True(t, errors.As(err, &p) || errors.As(err, &j))
	if p != nil {
		require.NotEqual(t, schema.Failed, p.Rule)
	}
}
