package mariadb_test

import (
	"testing"

	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlstore"
)

func TestKilledServer(t *testing.T) {
	server := dbtest.MariaDB(t)
	db := hostPool(t, server, "")
	dbtest.KillUnderLoad(t, server, func() (storage.Store, error) {
		return sqlstore.New(t.Context(), db, sqlstore.MySQL(), nil)
	})
}

func TestFullDisk(t *testing.T) {
	server := dbtest.MariaDB(t, dbtest.SmallDisk(256<<20))
	db := hostPool(t, server, "")
	dbtest.FullDisk(t, server.Disk(), func() (storage.Store, error) {
		return sqlstore.New(t.Context(), db, sqlstore.MySQL(), nil)
	})
}
