package sealed_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

// A keyset for tests only, and a box of the text "golden" for the texts "secret" and "acme".
const (
	goldenKeyset = `{"format":"hub-keyset-1","primary":"k_991082bc8d637910","keys":[{"id":"k_991082bc8d637910","state":"enabled","key":"nWvJycKD0njKmRoC6npA7yEhGH7NURqcasR8rkqMJcI="}]}`
	goldenBox    = "01126b5f39393130383262633864363337393130005d012b064af1fe6e412372bd2a5d3296448646c3917777471052eddd19131f7ba3ed5ca55d6a45b866fd685790d06915dba868746aebfbb80183166c31e20fb3d11764c07bee4ce55d621c7798472375066d25c2ff32350c52d7f55cce161c8e229e33ff4ec4779147406f6649a70c1eb2f3bcf8c0205480960991fd8ef9aa41"
)

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}
