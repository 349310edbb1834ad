package crashtest

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// subject is a store that holds some writes whenever it is opened, and a program that says it
// wrote.
func subject(holds int64, spoil func(*testing.T, storage.Store), says string) Subject {
	return Subject{
		Place: func(*testing.T) string { return "" },
		Writer: func(t *testing.T, _ string) *exec.Cmd {
			return exec.CommandContext(t.Context(), "sh", "-c", says+"; exec sleep 600")
		},
		Open: func(t *testing.T, _ string) (storage.Store, error) {
			s := memory.New()
			for n := range holds {
				require.NoError(t, s.Apply(t.Context(), entries(n+1)...))
			}
			spoil(t, s)
			return s, nil
		},
	}
}

func TestWhatIsNoticed(t *testing.T) {
	whole := func(*testing.T, storage.Store) {}
	for name, tt := range map[string]struct {
		subject Subject
		want    string // empty: nothing is wrong
	}{
		"intact":         {subject(7, whole, "echo wrote 7"), ""},
		"more than said": {subject(7, whole, "echo wrote 6"), ""},
		"a write lost":   {subject(6, whole, "echo wrote 7"), "7 writes were acknowledged"},
		"cut in speech":  {subject(6, whole, "echo wrote 6; printf 'wrote 7'"), ""},
		"half a write": {subject(7, func(t *testing.T, s storage.Store) {
			require.NoError(t, s.Apply(t.Context(), storage.Delete(storage.Key{Kind: "right", ID: "7"}, 1)))
		}, "echo wrote 7"), `6 records of kind "right"`},
		"another program": {subject(7, whole, "echo hello"), `the writer says "hello`},
		"one that ends":   {subject(7, whole, "echo wrote 7; exit 1"), "the writer ended by itself"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var err error
			tries := 5
			if tt.want != "" {
				tries = 100 // a writer may be killed before it ends by itself
			}
			for range tries {
				if _, err = tt.subject.lane(t, 2); err != nil {
					break
				}
			}
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
