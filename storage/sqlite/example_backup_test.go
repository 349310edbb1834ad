package sqlite_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
	"github.com/integrationhub/hub/storage/sqlite"
)

// A backup of a store that is in use, and what becomes of it: a file where there was none.
func ExampleStore_Backup() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "hub")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := sqlite.Open(ctx, filepath.Join(dir, "hub.db"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	if err := store.Apply(ctx, storage.Create(storage.Record{
		Key: storage.Key{Kind: "note", ID: "1"}, Revision: 1, Data: []byte("hello"),
	})); err != nil {
		log.Fatal(err)
	}

	var backup bytes.Buffer // or a file elsewhere; keep the keyset apart from it
	if err := store.Backup(ctx, &backup); err != nil {
		log.Fatal(err)
	}
	restored := filepath.Join(dir, "restored.db")
	if err := sqlite.Restore(ctx, restored, &backup, nil); err != nil {
		log.Fatal(err)
	}
	again, err := sqlite.Open(ctx, restored, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer again.Close()
	rec, err := again.Get(ctx, storage.Key{Kind: "note", ID: "1"})
	fmt.Println(string(rec.Data), err)
	// Output: hello <nil>
}

// Moving to another kind of store: here from memory into a file, and likewise from a file
// into PostgreSQL. Called again, it goes on where it was interrupted.
func Example_move() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "hub")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	from := memory.New()
	defer from.Close()
	if err := from.Apply(ctx, storage.Create(storage.Record{
		Key: storage.Key{Kind: "note", ID: "1"}, Revision: 1, Data: []byte("hello"),
	})); err != nil {
		log.Fatal(err)
	}
	to, err := sqlite.Open(ctx, filepath.Join(dir, "hub.db"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer to.Close()

	summary, err := storage.Copy(ctx, to, from, &storage.CopyOptions{
		Progress: func(p storage.CopyProgress) { /* show p.Seen, p.Written, p.Checked */ },
	})
	fmt.Println(summary.Records, err)
	// Output: 1 <nil>
}
