package dbtest

import (
	"os"
	"syscall"
)

// nobody is the user without rights that root runs servers as; they refuse to be root.
const nobody = 65534

// attributes make a program die with the test that started it, and drop root's rights.
func attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		a.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	return a
}

// giveAway makes the user that servers run as the owner of path.
func giveAway(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Chown(path, nobody, nobody)
}
