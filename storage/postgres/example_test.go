package postgres_test

import (
	"context"
	"log"
	"os"

	"github.com/integrationhub/hub/storage/postgres"
)

// Many instances of one application on one database. The connection string is the host's
// secret; here it comes from the environment.
func Example() {
	ctx := context.Background()
	store, err := postgres.Open(ctx, os.Getenv("DATABASE_URL"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	// h, err := hub.New(store, keeper, nil)
	// An edit in one instance is used by the others within milliseconds; if a notice is
	// lost, within hub.Limits.Freshness.
}
