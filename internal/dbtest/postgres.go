package dbtest

import (
	"path/filepath"
	"testing"
)

// Postgres starts a PostgreSQL server that ends with the test.
func Postgres(t testing.TB, opts ...Option) *Server {
	t.Helper()
	postgres := program(t, []string{"/usr/lib/postgresql/*/bin/postgres"}, "postgresql")
	s := newServer(t, opts)
	secret := password()
	data := s.makeData()
	s.run(filepath.Join(filepath.Dir(postgres), "initdb"),
		"--pgdata="+data, "--username=hub", "--pwfile="+s.write("password", secret),
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	s.ready = "database system is ready to accept connections"
	s.command = []string{postgres, "-D", data, "-p", s.port,
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "max_wal_size=64MB", "-c", "min_wal_size=32MB", "-c", "shared_buffers=16MB", "-c", "max_connections=60"}
	s.dsn = "postgres://hub:" + secret + "@127.0.0.1:" + s.port + "/postgres?sslmode=disable"
	s.Start()
	return s
}
