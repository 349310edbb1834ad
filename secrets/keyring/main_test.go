package keyring_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// In a session of its own the tests run on a real Secret Service, whose library keeps its
// connection to D-Bus as long as the process lives.
func TestMain(m *testing.M) {
	if inSession() {
		os.Exit(m.Run())
	}
	goleak.VerifyTestMain(m)
}
