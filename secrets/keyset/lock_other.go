//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package keyset

import "context"

// lock does nothing where there is no flock.
func lock(ctx context.Context, _ string) (unlock func(), err error) { return func() {}, ctx.Err() }
