package postgres_test

import (
	"testing"

	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/postgres"
)

func TestKilledServer(t *testing.T) {
	server := dbtest.Postgres(t)
	dbtest.KillUnderLoad(t, server, func() (storage.Store, error) {
		return postgres.Open(t.Context(), server.DSN(), nil)
	})
}

func TestFullDisk(t *testing.T) {
	server := dbtest.Postgres(t, dbtest.SmallDisk(160<<20))
	dbtest.FullDisk(t, server.Disk(), func() (storage.Store, error) {
		return postgres.Open(t.Context(), server.DSN(), nil)
	})
}
