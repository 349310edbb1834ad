//go:build !unix

package bolt

import "io/fs"

// checkMode has nothing to look at: modes say nothing about access here. A new file has
// the access rules of its directory.
func checkMode(fs.FileMode) error { return nil }

// syncDir has nothing to do: directories cannot be synced here.
func syncDir(string) error { return nil }
