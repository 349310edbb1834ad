package dbtest

import "testing"

// Redis starts a Redis server that ends with the test and keeps nothing on disk: killed, it
// has forgotten all. Its DSN is a redis URL.
func Redis(t testing.TB) *Server {
	t.Helper()
	program := program(t, []string{"/usr/bin/redis-server"}, "redis-server")
	s := newServer(t, nil)
	secret := password()
	config := s.write("redis.conf", "requirepass "+secret+"\n")
	s.ready = "Ready to accept connections"
	s.command = []string{program, config, "--port", s.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"}
	s.dsn = "redis://:" + secret + "@127.0.0.1:" + s.port + "/0"
	s.Start()
	return s
}
