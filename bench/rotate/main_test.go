package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Saves go on while every record is sealed anew: none is refused, none is lost.
func TestSavesGoOnWhileKeysRotate(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-secrets", "80", "-quiet", "50ms"}, &out))
	assert.Contains(t, out.String(), "89 records sealed anew")
	assert.Contains(t, out.String(), "| while it rotates")
}

func TestFlagsRefused(t *testing.T) {
	for _, args := range [][]string{{"-secrets", "39"}, {"-quiet", "0s"}, {"-paper"}} {
		assert.Error(t, run(t.Context(), args, &bytes.Buffer{}), "%q", args)
	}
}
