package schema_test

import (
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/schema"
)

func TestTheValidatorIsThereWheneverItIsAsked(t *testing.T) {
	for _, src := range []string{
		`{"properties":{"a":{"type":"integer"}}}`,
		`{"properties":{"a":{"type":"integer"},"b":{"unevaluatedItems":false}}}`,
	} {
		s, err := schema.Compile([]byte(src), schema.Limits{})
		require.NoError(t, err)
		first := s.Validate([]byte(`{"a":""}`))
		require.Error(t, first)
		var running sync.WaitGroup
		for range 8 {
			running.Go(func() {
				assert.Equal(t, first, s.Validate([]byte(`{"a":""}`)))
				assert.NoError(t, s.Validate([]byte(`{"a":1.0}`)))
				runtime.GC()
			})
		}
		running.Wait()
	}
}

func TestSizeTellsWhetherTheValidatorIsKept(t *testing.T) {
	long := `"title":"` + strings.Repeat("x", 1000) + `"`
	quick, err := schema.Compile([]byte(`{`+long+`}`), schema.Limits{})
	require.NoError(t, err)
	asking, err := schema.Compile([]byte(`{"unevaluatedItems":false,`+long+`}`), schema.Limits{})
	require.NoError(t, err)
	assert.Less(t, quick.Size(), 10<<10)
	assert.Greater(t, asking.Size(), 30<<10)
}
