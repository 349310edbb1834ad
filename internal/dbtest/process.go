package dbtest

import (
	"os"
	"os/exec"
)

// process is a program that runs in the background.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the program has ended
}

// spawn starts a command that writes all it has to say into the file log.
func spawn(dir, log string, command []string) (*process, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := prepared(dir, command)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // it is killed, always
	}()
	return p, nil
}

// prepared returns a command that runs in dir as the servers' user.
func prepared(dir string, command []string) *exec.Cmd {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "TMPDIR="+dir)
	cmd.SysProcAttr = attributes()
	return cmd
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // an error means that it has ended
	<-p.done
}
