//go:build !unix

package sqlite

import "io/fs"

// checkMode has nothing to look at: modes say nothing about access here. A new file has
// the access rules of its directory.
func checkMode(string, fs.FileMode) error { return nil }

// checkDir has nothing to look at either; SQLite reports what it cannot write.
func checkDir(string) error { return nil }

// syncDir has nothing to do: directories cannot be synced here.
func syncDir(string) error { return nil }
