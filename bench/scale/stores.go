package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/go-sql-driver/mysql"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/bolt"
	"github.com/integrationhub/hub/storage/memory"
	"github.com/integrationhub/hub/storage/postgres"
	"github.com/integrationhub/hub/storage/sqlite"
	"github.com/integrationhub/hub/storage/sqlstore"
)

const stores = "memory, sqlite, bolt, postgres or mariadb"

// open opens an empty store: a file in dir, or what -dsn leads to.
func (p plan) open(ctx context.Context, dir string) (storage.Store, error) {
	switch p.store {
	case "memory":
		return memory.New(), nil
	case "sqlite":
		return sqlite.Open(ctx, filepath.Join(dir, "hub.db"), nil)
	case "bolt":
		return bolt.Open(ctx, filepath.Join(dir, "hub.bolt"), nil)
	case "postgres":
		return postgres.Open(ctx, p.dsn, nil)
	case "mariadb":
		return openMariaDB(ctx, p.dsn)
	}
	return nil, fmt.Errorf("-store: %q is not %s", p.store, stores)
}

// mariadbStore is a store that closes its pool.
type mariadbStore struct {
	*sqlstore.Store
	db *sql.DB
}

func openMariaDB(ctx context.Context, dsn string) (storage.Store, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, errors.New("-dsn: not one of MariaDB's, user:password@tcp(host:port)/database")
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxIdleConns(fillers)
	store, err := sqlstore.New(ctx, db, sqlstore.MySQL(), nil)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return mariadbStore{store, db}, nil
}

// Close closes the store, and the pool under it.
func (s mariadbStore) Close() error { return errors.Join(s.Store.Close(), s.db.Close()) }
