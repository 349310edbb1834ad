//go:build unix

package toxics

import (
	"net"
	"syscall"
)

// hold keeps a port from being given to somebody else while nobody listens on it: a socket that
// is bound and does not listen refuses who connects.
func hold(address *net.TCPAddr) (release func()) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return func() {} // the port may be lost, and then Heal says so
	}
	syscall.CloseOnExec(fd)
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	_ = syscall.Bind(fd, &syscall.SockaddrInet4{Port: address.Port, Addr: [4]byte(address.IP.To4())})
	return func() { _ = syscall.Close(fd) }
}
