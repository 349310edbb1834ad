//go:build !unix

package keyset

import "io/fs"

// Where permissions are not Unix's, the mode says nothing about who may read a file.

func looseFile(fs.FileMode) bool { return false }

func looseDir(fs.FileMode) bool { return false }

// syncDir does nothing where directories cannot be synced.
func syncDir(string) error { return nil }
