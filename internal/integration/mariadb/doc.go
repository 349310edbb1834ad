// Package mariadb proves package sqlstore on a real MariaDB server. It has tests only.
package mariadb
