package egress_test

import (
	"net"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// proxyBait is where the environment of all these tests says that a proxy is. Nobody
// accepts there: whoever connects stays in the queue, for TestNoProxy to find.
var proxyBait net.Listener

func TestMain(m *testing.M) {
	bait, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	proxyBait = bait
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		if err := os.Setenv(name, "http://"+bait.Addr().String()); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}
