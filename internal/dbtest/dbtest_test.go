package dbtest_test

import (
	"bytes"
	"io"
	"net"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/dbtest"
)

// Each server greets at the address of its DSN, is gone when it was killed, and comes back
// at the same address.
func TestServers(t *testing.T) {
	for name, c := range map[string]struct {
		start func(testing.TB, ...dbtest.Option) *dbtest.Server
		say   []byte // what makes the server answer, if it does not speak first
		hear  string
	}{
		"PostgreSQL": {dbtest.Postgres, []byte{0, 0, 0, 8, 4, 210, 22, 47}, "N"}, // asked for TLS
		"MariaDB":    {dbtest.MariaDB, nil, "MariaDB"},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.start(t)
			for range 2 {
				greet(t, s.DSN(), c.say, c.hear)
				s.Kill()
				s.Kill()
				_, err := net.Dial("tcp", address(t, s.DSN()))
				assert.Error(t, err)
				s.Start()
			}
			greet(t, s.DSN(), c.say, c.hear)
		})
	}
}

var loopback = regexp.MustCompile(`127\.0\.0\.1:\d+`)

func address(t *testing.T, dsn string) string {
	t.Helper()
	found := loopback.FindString(dsn)
	require.NotEmpty(t, found)
	return found
}

func greet(t *testing.T, dsn string, say []byte, hear string) {
	t.Helper()
	conn, err := net.Dial("tcp", address(t, dsn))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = conn.Write(say)
	require.NoError(t, err)
	var heard []byte
	for buf := make([]byte, 256); !bytes.Contains(heard, []byte(hear)); {
		n, err := conn.Read(buf)
		heard = append(heard, buf[:n]...)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}
	assert.Contains(t, string(heard), hear)
}
