package integration_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/integration"
)

func TestHTTPBinIsTrustedThroughItsCA(t *testing.T) {
	bin := integration.StartHTTPBin(t)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(bin.CA))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	t.Cleanup(client.CloseIdleConnections)

	resp, err := client.Get(bin.URL + "/get?q=1")
	require.NoError(t, err)
	defer resp.Body.Close()
	var answer struct{ Args map[string][]string }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	assert.Equal(t, map[string][]string{"q": {"1"}}, answer.Args)
}
