package files_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/files"
)

// A host lets each customer name the files of a folder of their own: given to a hub as
// Options.Resolvers["file"], the reference is "file:acme/crm-token".
func Example() {
	dir, err := os.MkdirTemp("", "secrets")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := os.Mkdir(filepath.Join(dir, "acme"), 0o700); err != nil {
		fmt.Println(err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, "acme", "crm-token"), []byte("t0ken\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	source, err := files.New(dir, &files.Options{TrimNewline: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()

	folders := map[string]string{"tenant-7": "acme", "tenant-8": "umbrella"}
	resolver := secrets.Scoped(source, func(tenant string) string { return folders[tenant] })
	for _, tenant := range []string{"tenant-7", "tenant-8"} {
		value, err := resolver.Resolve(context.Background(), tenant, "acme/crm-token")
		fmt.Println(tenant, value.Len(), errors.Is(err, secrets.ErrForbidden))
	}
	// Output:
	// tenant-7 5 false
	// tenant-8 0 true
}
