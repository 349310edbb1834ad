package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlstore"
)

// A host application that has a database already: its own row and a record of the hub become
// durable together, or not at all. With a hub, make one on the transaction's store:
// hub.New(store.InTx(tx), keeper, nil), and close it before the commit.
func Example_transactionOfTheHost() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "hub")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "app.db")+
		"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=fullfsync(1)&_pragma=checkpoint_fullfsync(1)")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	store, err := sqlstore.New(ctx, db, sqlstore.SQLite(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	if _, err := db.ExecContext(ctx, "CREATE TABLE customers (name TEXT)"); err != nil {
		log.Fatal(err)
	}

	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, "INSERT INTO customers VALUES ('ACME')"); err != nil {
		log.Fatal(err)
	}
	err = store.InTx(tx).Apply(ctx, storage.Create(storage.Record{
		Key: storage.Key{Kind: "note", ID: "1"}, Revision: 1, Data: []byte("of ACME"),
	}))
	if err != nil {
		log.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}
	rec, err := store.Get(ctx, storage.Key{Kind: "note", ID: "1"})
	fmt.Println(string(rec.Data), err)
	// Output: of ACME <nil>
}
