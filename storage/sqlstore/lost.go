package sqlstore

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
)

// isLost recognises the error of a connection that was there and broke: another connection
// may do better, while one that cannot be made at all is no reason to try again. Drivers
// report driver.ErrBadConn only where they know that nothing was sent.
func isLost(err error) bool {
	for _, lost := range []error{
		driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.EPIPE, syscall.ECONNRESET,
	} {
		if errors.Is(err, lost) {
			return true
		}
	}
	switch sqlState(err) {
	case "57P01", "57P02": // PostgreSQL's admin_shutdown and crash_shutdown
		return true
	}
	// As the drivers of PostgreSQL and of MySQL say it of a connection found closed.
	return strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "invalid connection")
}

// sqlState returns the SQLSTATE of an error; empty if its type does not tell. The drivers of
// PostgreSQL have it in a method of this name.
func sqlState(err error) string {
	if e, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err); ok {
		return e.SQLState()
	}
	return ""
}
