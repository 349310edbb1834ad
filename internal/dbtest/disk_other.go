//go:build !linux

package dbtest

import "errors"

func mount(string, int64) error {
	return errors.New("a disk in memory takes Linux")
}

func unmount(string) error { return nil }

func isFull(error) bool { return false }
