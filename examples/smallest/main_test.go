package main

import (
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestItOpensATicketEachTime(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /tickets", hubtest.JSON(201, map[string]any{"ticket": map[string]any{"number": "T-42"}}))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(srv.CA())
	opts := &hub.Options{Egress: hub.Egress{AllowLoopback: true, AllowAnyPort: true, RootCAs: roots}}

	dir := t.TempDir()
	for range 2 {
		number, err := openTicket(t.Context(), dir, srv.URL, secrets.New("key-0123456789"), opts)
		require.NoError(t, err)
		assert.Equal(t, "T-42", number)
	}
	sent := srv.Requests()
	require.Len(t, sent, 2)
	assert.JSONEq(t, `{"title":"No dial tone","priority":3}`, string(sent[0].Body))
	assert.Equal(t, "key-0123456789", sent[1].Header.Get("X-Api-Key"))
}
