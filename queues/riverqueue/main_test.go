package riverqueue_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests, or is a worker that a test started in order to kill it.
func TestMain(m *testing.M) {
	if os.Getenv(workerVariable) != "" {
		work()
	}
	goleak.VerifyTestMain(m)
}
