// Package process asks a child process and answers for one: a line of JSON in, a line of JSON
// out, over its standard input and output. What is measured has a process of its own, so that
// its CPU and its heap are its own.
package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
)

// Process is a child that answers one question at a time.
type Process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *json.Decoder
}

// Start starts a child that runs [Serve].
func Start(cmd *exec.Cmd) (*Process, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &Process{cmd: cmd, in: in, answers: json.NewDecoder(out)}, nil
}

// reply is what a child answers.
type reply struct {
	Error string
	Value json.RawMessage
}

// Ask sends a question and decodes the child's answer.
func (p *Process) Ask(question, answer any) error {
	if err := json.NewEncoder(p.in).Encode(question); err != nil {
		return err
	}
	var r reply
	if err := p.answers.Decode(&r); err != nil {
		return fmt.Errorf("the process has ended: %w", err)
	}
	if r.Error != "" {
		return errors.New(r.Error)
	}
	return json.Unmarshal(r.Value, answer)
}

// Close ends the child and waits for it.
func (p *Process) Close() error {
	return errors.Join(p.in.Close(), p.cmd.Wait())
}

// Serve answers questions until there are no more.
func Serve[Q any](in io.Reader, out io.Writer, answer func(Q) (any, error)) error {
	questions := json.NewDecoder(in)
	for {
		var q Q
		err := questions.Decode(&q)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(replied(answer(q))); err != nil {
			return err
		}
	}
}

func replied(value any, err error) reply {
	if err != nil {
		return reply{Error: err.Error()}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return reply{Error: err.Error()}
	}
	return reply{Value: text}
}
