package sqlite_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// kept are the records in the files of testdata. A file there was made by the first code that
// had the version in its name, and is never made anew: every later version must read it.
func kept() (records []storage.Record) {
	for i, odd := range []string{"", "plain", "a ", "A ", "ünï\u200b", "\xff\x01'%\\", "😀"} {
		records = append(records, storage.Record{
			Key:    storage.Key{Tenant: odd, Kind: "kept", ID: "id " + odd},
			Parent: odd, Name: odd, Search: "s" + odd,
			Labels:   []storage.Label{{Key: "of", Value: odd}, {Key: "of", Value: "all"}},
			Revision: int64(i+1) << (8 * i),
			Updated:  time.Date(2026, 1, 2, 3, 4, 5, i*1000, time.UTC),
			Data:     bytes.Repeat([]byte{byte(i), 0, 0xff}, 100*i),
		})
	}
	return records
}

func TestFilesOfOldVersions(t *testing.T) {
	want := memory.New()
	for _, r := range kept() {
		require.NoError(t, want.Apply(t.Context(), storage.Create(r)))
	}
	sum, err := storage.Sum(t.Context(), want)
	require.NoError(t, err)
	files, err := os.ReadDir("testdata")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(file.Name(), func(t *testing.T) {
			data, err := os.ReadFile("testdata/" + file.Name())
			require.NoError(t, err)
			path := newPath(t)
			require.NoError(t, os.WriteFile(path, data, 0o600))
			s := open(t, path, nil)
			is, err := storage.Sum(t.Context(), s)
			require.NoError(t, err)
			assert.Equal(t, sum, is)
			for _, r := range kept() {
				readAndWrite(t, s, r)
			}
		})
	}
}

// readAndWrite finds a record in each way there is, and changes it.
func readAndWrite(t *testing.T, s storage.Store, r storage.Record) {
	t.Helper()
	queries := []storage.Query{{Labels: r.Labels}, {Prefix: r.Search}, {Name: r.Name}}
	for _, q := range queries {
		q.Tenant, q.Kind, q.Parent = r.Tenant, r.Kind, r.Parent
		page, err := s.List(t.Context(), q)
		require.NoError(t, err)
		assert.Equal(t, []storage.Record{r.Normal()}, page.Records)
	}
	before := r.Revision
	r.Revision++
	require.NoError(t, s.Apply(t.Context(), storage.Update(r, before)))
	after, err := s.Get(t.Context(), r.Key)
	require.NoError(t, err)
	assert.Equal(t, r.Normal(), after)
}
