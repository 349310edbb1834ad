package hub_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

// sayable are the rules of the code that the schemas say as well, wherever they apply.
var sayable = []string{
	"unknown-field", "too-many", "control-character", "header-name", "status", "place",
	"required", "enum", "pattern", "trigger", "payload-mode", "secret",
}

// elsewhere matches paths of what depends on another definition or on a value.
var elsewhere = regexp.MustCompile(`\.sample\b|^variables\.|^auth\.kind$|^fields\[\d+\]\.default$`)

// Definitions are changed at random, up to three times each. What the code accepts the schema must
// accept; what it refuses by a rule that a schema can say, the schema must refuse.
func TestSchemasAgreeOnRandomDefinitions(t *testing.T) {
	const rounds = 600
	for name, m := range models(t) {
		t.Run(name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, uint64(len(name))))
			accepted := 0
			for i := range rounds {
				data := mutated(t, rnd, m.golden(t))
				code, schema := m.accepts(t, data), m.admits(data)
				if code == nil {
					accepted++
					require.NoError(t, schema, "round %d: the code accepts %s", i, data)
				}
				if rule := firstSayable(code); rule != "" {
					require.Error(t, schema, "round %d: the code refuses by %s: %s", i, rule, data)
				}
			}
			require.Greater(t, accepted, rounds/20, "too few definitions are accepted to tell anything")
			require.Less(t, accepted, rounds*19/20, "too few definitions are refused to tell anything")
		})
	}
}

func firstSayable(err error) string {
	var e *hub.Error
	if !errors.As(err, &e) {
		return ""
	}
	for _, f := range e.Fields {
		if slices.Contains(sayable, f.Rule) && !elsewhere.MatchString(f.Path) || f.Rule == "type" && !strings.Contains(f.Message, "whole number") {
			return fmt.Sprint(f)
		}
	}
	return ""
}

// mutated returns a definition with one to three random changes.
func mutated(t testing.TB, rnd *rand.Rand, data []byte) []byte {
	var v any
	require.NoError(t, json.Unmarshal(data, &v))
	for range 1 + rnd.IntN(3) {
		v = mutate(rnd, v)
	}
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return out
}

// mutate changes one value somewhere inside v.
func mutate(rnd *rand.Rand, v any) any {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		if len(keys) == 0 || rnd.IntN(12) == 0 {
			v[pick(rnd, "surprise", "Name", "x", "value")] = anything(rnd)
			return v
		}
		k := keys[rnd.IntN(len(keys))]
		if rnd.IntN(4) == 0 {
			delete(v, k)
			return v
		}
		v[k] = mutate(rnd, v[k])
		return v
	case []any:
		if len(v) == 0 || rnd.IntN(5) == 0 {
			return append(v, anything(rnd))
		}
		i := rnd.IntN(len(v))
		switch rnd.IntN(6) {
		case 0:
			return slices.Delete(v, i, i+1)
		case 1:
			return append(v, v[i])
		}
		v[i] = mutate(rnd, v[i])
		return v
	case string:
		return text(rnd, v)
	default:
		return anything(rnd)
	}
}

func text(rnd *rand.Rand, s string) any {
	switch rnd.IntN(8) {
	case 0:
		return anything(rnd)
	case 1:
		return strings.Repeat(s+"x", 1+rnd.IntN(300))
	case 2:
		return s + string(rune(rnd.IntN(0x100)))
	case 3:
		return ""
	case 4:
		return strings.ToUpper(s)
	case 5:
		return pick(rnd, "GET", "manual", "none", "oauth2", "dynamic", "Host", "X-Other", "*.example.com", "auth", "body:/x", "204")
	case 6:
		return s + pick(rnd, "[[nobody]]", "{{a.b}}", "{{", " ", "é", "/..", "#")
	default:
		return s + "y"
	}
}

func anything(rnd *rand.Rand) any {
	switch rnd.IntN(7) {
	case 0:
		return nil
	case 1:
		return rnd.IntN(4000) - 1000
	case 2:
		return rnd.Float64()
	case 3:
		return rnd.IntN(2) == 0
	case 4:
		return []any{}
	case 5:
		return map[string]any{"name": "n", "value": "v"}
	default:
		return pick(rnd, "", "a", "A b", "eu.example.com", "2xx", "2026-11-22T00:00:00Z")
	}
}

func pick(rnd *rand.Rand, words ...string) string { return words[rnd.IntN(len(words))] }
