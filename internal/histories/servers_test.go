package histories_test

import (
	"database/sql"
	"testing"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/internal/histories"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/postgres"
	"github.com/integrationhub/hub/storage/sqlstore"
)

func TestPostgreSQL(t *testing.T) {
	server := dbtest.Postgres(t)
	var two []storage.Store // as in two processes
	for range 2 {
		s, err := postgres.Open(t.Context(), server.DSN(), nil)
		require.NoError(t, err)
		two = append(two, s)
	}
	live(t, histories.Setting{Stores: two, Remote: true})
}

func TestMariaDB(t *testing.T) {
	db, err := sql.Open("mysql", dbtest.MariaDB(t).DSN())
	require.NoError(t, err)
	defer db.Close()
	var two []storage.Store
	for range 2 {
		s, err := sqlstore.New(t.Context(), db, sqlstore.MySQL(), nil)
		require.NoError(t, err)
		two = append(two, s)
	}
	live(t, histories.Setting{Stores: two, Remote: true})
}
