package dbtest

import (
	"path/filepath"
	"testing"
)

// MariaDB starts a MariaDB server that ends with the test.
func MariaDB(t testing.TB, opts ...Option) *Server {
	t.Helper()
	mariadbd := program(t, []string{"/usr/sbin/mariadbd"}, "mariadb-server-core")
	program(t, []string{"/usr/bin/my_print_defaults"}, "mariadb-client-core") // its installer asks it
	s := newServer(t, opts)
	secret := password()
	data := s.makeData()
	s.run("/usr/bin/mariadb-install-db", "--no-defaults", "--datadir="+data, "--basedir=/usr",
		"--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
	user := s.write("user.sql", "CREATE DATABASE IF NOT EXISTS hub;\n"+
		"CREATE OR REPLACE USER hub@'127.0.0.1' IDENTIFIED BY '"+secret+"';\n"+
		"GRANT ALL ON *.* TO hub@'127.0.0.1' WITH GRANT OPTION;\n")
	s.ready = "ready for connections"
	s.command = []string{mariadbd, "--no-defaults", "--datadir=" + data, "--port=" + s.port,
		"--bind-address=127.0.0.1", "--socket=" + filepath.Join(s.dir, "socket"), "--skip-name-resolve",
		"--init-file=" + user, "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M"}
	s.dsn = "hub:" + secret + "@tcp(127.0.0.1:" + s.port + ")/hub"
	s.Start()
	return s
}
