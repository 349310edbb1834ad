package memory_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

var _ storage.Store = (*memory.Store)(nil)

// A page of a large scope costs what the page holds, not what the scope holds.
func TestListByPrefixOfManyRecords(t *testing.T) {
	ctx := context.Background()
	s := memory.New()
	for i := range 2000 {
		require.NoError(t, s.Apply(ctx, storage.Create(storage.Record{
			Key:      storage.Key{Kind: "thing", ID: fmt.Sprintf("id-%d", i)},
			Search:   fmt.Sprintf("%04d", (i*7919)%2000),
			Revision: 1,
		})))
	}
	page, err := s.List(ctx, storage.Query{Kind: "thing", Prefix: "19"})
	require.NoError(t, err)
	require.Len(t, page.Records, 100)
	assert.Empty(t, page.Next)
	for i, r := range page.Records {
		assert.Equal(t, fmt.Sprintf("%04d", 1900+i), r.Search)
	}
}

func TestClosedStoreGivesUpItsRecords(t *testing.T) {
	s := memory.New()
	require.NoError(t, s.Close())
	_, err := s.Get(context.Background(), storage.Key{Kind: "k", ID: "i"})
	assert.ErrorIs(t, err, storage.ErrClosed)
}
