package servicenow

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// FuzzParseQuery: whatever the query, the result is a part of what there is, and what there
// is stays as it was.
func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{"", "state=1", "state!=1^ORurgency=2^ORDERBYDESCnumber", "^^^", "OR^OR=", "ORDERBY", "=x", "aLIKE"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all := []incident{{"number": "1", "state": "1"}, {"number": "2", "state": "7"}, {"number": "3", "state": text}}
		for _, found := range parseQuery(text).apply(all) {
			assert.Contains(t, all, found)
		}
		assert.Equal(t, "123", all[0]["number"]+all[1]["number"]+all[2]["number"])
	})
}
