//go:build unix

package bolt_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Each of these names, in a process that a test started, the file that it is to work on.
const (
	writerPath = "HUB_TEST_WRITER" // writes until it is killed
	fillerPath = "HUB_TEST_FILLER" // writes until the disk is full
	openerPath = "HUB_TEST_OPENER" // writes once, without the rights of root
)

var roles = map[string]func(ctx context.Context, path string) error{
	writerPath: writeUntilKilled,
	fillerPath: fillSmallDisk,
	openerPath: openAndWrite,
}

func TestMain(m *testing.M) {
	for variable, role := range roles {
		path := os.Getenv(variable)
		if path == "" {
			continue
		}
		if err := role(context.Background(), path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
