package pkcs12_test

import (
	"context"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

func ctx() context.Context { return context.Background() }

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// newHub returns a hub in memory that may call loopback.
func newHub() (*hub.Hub, func()) {
	keys, err := keyset.Generate()
	check(err)
	store := memory.New()
	h, err := hub.New(store, keys, &hub.Options{Egress: hub.Egress{AllowLoopback: true, AllowAnyPort: true}})
	check(err)
	return h, func() {
		check(h.Close(ctx()))
		check(store.Close())
	}
}
