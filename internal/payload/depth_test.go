package payload_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/payload"
)

func TestCheckDepth(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		max    int
		offset int // of the bracket that is too much; -1: none is
	}{
		"nothing":                    {"", 0, -1},
		"scalar":                     {`"x"`, 0, -1},
		"one too many":               {`[]`, 0, 0},
		"at the limit":               {`[{"a":[]}]`, 3, -1},
		"beyond the limit":           {`[{"a":[]}]`, 2, 6},
		"siblings":                   {`[[],[],[],{}]`, 2, -1},
		"brackets in a string":       {`["[[[[{{{{"]`, 1, -1},
		"behind an escaped quote":    {`["\"[[[[\\",[]]`, 1, 12},
		"brackets in a name":         {`{"[[{{":[]}`, 2, -1},
		"string that never ends":     {`["[[[[`, 1, -1},
		"escape at the end":          {`["[[\`, 1, -1},
		"no JSON":                    {`<a b="[[[">[[</a>`, 1, 12},
		"closed more than opened":    {`]]]]}}}}[[`, 1, 9},
		"brackets of the wrong kind": {`[}{][}`, 1, -1},
		"negative is off":            {`[[[[`, -1, -1},
	} {
		t.Run(name, func(t *testing.T) {
			err := payload.CheckDepth([]byte(c.text), c.max)
			if c.offset < 0 {
				require.NoError(t, err)
				return
			}
			assert.Equal(t, &payload.Problem{Rule: payload.TooDeep, Limit: c.max, Offset: c.offset}, err)
		})
	}
}

func TestCheckDepthAtAnySize(t *testing.T) {
	for depth := 1; depth <= 1e7; depth *= 10 {
		for _, text := range []string{strings.Repeat("[", depth), strings.Repeat(`{"a":`, min(depth, 1e6)) + "1"} {
			err := payload.CheckDepth([]byte(text), 512)
			assert.Equal(t, depth > 512, err != nil, "depth %d", depth)
		}
	}
}
