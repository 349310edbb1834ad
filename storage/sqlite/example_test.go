package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlite"
)

// A store in a file, and what a revision is for: of two that saw the same one, the second
// to write learns that it is late.
func Example() {
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

	note := storage.Record{Key: storage.Key{Kind: "note", ID: "1"}, Name: "first", Revision: 1, Data: []byte("hello")}
	fmt.Println(store.Apply(ctx, storage.Create(note)))

	note.Revision, note.Data = 2, []byte("hello again")
	fmt.Println(store.Apply(ctx, storage.Update(note, 1)))
	fmt.Println(errors.Is(store.Apply(ctx, storage.Update(note, 1)), storage.ErrConflict))

	page, err := store.List(ctx, storage.Query{Kind: "note", Name: "first"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, revision %d\n", page.Records[0].Data, page.Records[0].Revision)
	// Output:
	// <nil>
	// <nil>
	// true
	// hello again, revision 2
}
