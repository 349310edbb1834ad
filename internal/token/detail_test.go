package token_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/token"
	"github.com/integrationhub/hub/storage/memory"
)

// detailed tells more of each fetch than the grant.
type detailed struct{ token.Source }

func (s detailed) Fetch(ctx context.Context, prev *token.Grant) (*token.Grant, error) {
	g, err := s.Source.Fetch(ctx, prev)
	if err == nil {
		g.Detail = "of this fetch"
	}
	return g, err
}

func TestTheDetailOfAFetchIsForThoseWhoWaitForIt(t *testing.T) {
	derived := 0
	m := token.New(memory.New(), newKeeper(t), token.Options{Derive: func(g *token.Grant) any {
		derived++
		assert.Nil(t, g.Detail, "what is derived lives as long as the grant")
		return g
	}})
	src := detailed{&source{srv: newServer()}}
	for range 2 {
		g, err := m.Renew(t.Context(), key, src)
		require.NoError(t, err)
		require.Equal(t, "of this fetch", g.Detail)
		held, err := m.Get(t.Context(), key, src)
		require.NoError(t, err)
		require.Nil(t, held.Detail)
		require.Equal(t, g.Access, held.Access)
		require.Same(t, held, g.Derived)
	}
	assert.Equal(t, 2, derived)
}
