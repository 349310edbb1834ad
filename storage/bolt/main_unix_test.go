//go:build unix

package bolt_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// writerPath names, in a process that a test started, the file to write to until it is killed.
const writerPath = "HUB_TEST_WRITER"

func TestMain(m *testing.M) {
	path := os.Getenv(writerPath)
	if path == "" {
		goleak.VerifyTestMain(m)
		return
	}
	fmt.Fprintln(os.Stderr, writeUntilKilled(context.Background(), path))
	os.Exit(1)
}
