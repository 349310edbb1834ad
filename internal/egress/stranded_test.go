package egress_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/toxics"
)

// A firewall that forgets a connection tells nobody. Calls that find it dead end at their
// deadline; but others must not go on finding it.
func TestAConnectionThatLeadsNowhereIsLetGo(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("h2=%v", h2), func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t)
			_, port := upstream(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(time.Hour, "127.0.0.1")}}, h2, mirror)
			proxy, err := toxics.New(fmt.Sprintf("127.0.0.1:%d", port), 1)
			require.NoError(t, err)
			t.Cleanup(proxy.Close)
			e := open(t, egress.Config{
				Policy: loopback, RootCAs: ca.pool(), PingAfter: 50 * time.Millisecond, PingTimeout: 50 * time.Millisecond,
			})
			call := func(within time.Duration) error {
				ctx, cancel := context.WithTimeout(t.Context(), within)
				defer cancel()
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+proxy.Addr(), nil)
				require.NoError(t, err)
				resp, err := e.Transport(nil).RoundTrip(req)
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					require.NoError(t, resp.Body.Close())
				}
				return err
			}
			require.NoError(t, call(time.Minute))
			proxy.Strand()
			err = call(20 * time.Millisecond) // finds it dead, unless it took so long to come that it was let go
			for deadline := time.Now().Add(time.Minute); err != nil && time.Now().Before(deadline); {
				err = call(time.Second)
			}
			require.NoError(t, err)
		})
	}
}
