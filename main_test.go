package hub_test

import (
	"net"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// proxyBait is where the environment of all these tests says that a proxy is.
var proxyBait bait

func TestMain(m *testing.M) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	proxyBait = bait{l.(*net.TCPListener)}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		if err := os.Setenv(name, "http://"+l.Addr().String()); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}
