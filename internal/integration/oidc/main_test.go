package oidc_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/integrationhub/hub/internal/integration/oidc"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		oidc.Remove()
		os.Exit(code)
	}))
}
