//go:build !linux

package dbtest

import "syscall"

// attributes are the system's own: programs run as the user who runs the tests.
func attributes() *syscall.SysProcAttr { return nil }

// giveAway has nothing to do.
func giveAway(string) error { return nil }
