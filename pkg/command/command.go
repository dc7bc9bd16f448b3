// Package command runs a program without a shell, for a bounded time and with bounded output. It is the
// only place that starts one.
package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"time"
)

// timeout leaves time to type a passphrase or to touch a key.
const timeout = 60 * time.Second

// maxStderr is what is kept of a program's complaints.
const maxStderr = 4 << 10

var errTooMuch = errors.New("printed more than is taken from it")

// Command is a program and what it runs with.
type Command struct {
	Argv []string
	Dir  string
	Env  []string // nil: the environment of stackgen
	// Stdin is what the program may read; nil: nothing. A program that does not read it all is no error.
	Stdin []byte
}

// ExitError says that a program ended with another status than 0.
type ExitError struct {
	Code   int
	Stderr string // the beginning of what it said; may hold anything
}

// Error names the status alone.
func (e *ExitError) Error() string { return fmt.Sprintf("ended with status %d", e.Code) }

// ExitCode is the status.
func (e *ExitError) ExitCode() int { return e.Code }

// Output gives what the program prints, at most limit bytes. The error is a clause about the program,
// without anything that the program printed.
func (c Command) Output(ctx context.Context, limit int) ([]byte, error) {
	return c.output(ctx, limit, timeout)
}

func (c Command) output(ctx context.Context, limit int, timeout time.Duration) ([]byte, error) {
	if len(c.Argv) == 0 || c.Argv[0] == "" {
		return nil, errors.New("names no program")
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	if c.Stdin != nil {
		cmd.Stdin = bytes.NewReader(c.Stdin)
	}
	// A helper that the program leaves running must not keep us waiting for its end of the pipe.
	cmd.WaitDelay = 2 * time.Second
	out := &capped{left: limit, full: cancel}
	said := &kept{left: maxStderr}
	cmd.Stdout, cmd.Stderr = out, said
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return out.buf.Bytes(), nil
	case out.left < 0:
		return nil, errTooMuch
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("did not end in time (%.0f seconds at most)", timeout.Seconds())
	case ctx.Err() != nil:
		return nil, errors.New("was interrupted")
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("is not installed")
	case errors.Is(err, exec.ErrWaitDelay):
		return nil, errors.New("left a process behind that keeps its output open")
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return nil, &ExitError{Code: exit.ExitCode(), Stderr: said.buf.String()}
	case errors.As(err, &exit):
		return nil, errors.New("was killed by a signal")
	}
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return nil, fmt.Errorf("cannot be started: %w", err)
}

// capped ends the program with the write that passes the limit. The broken pipe alone would not: a program
// whose parent ignores SIGPIPE may go on for ever.
type capped struct {
	buf  bytes.Buffer // Not embedded: its ReadFrom would take everything past Write.
	left int
	full func()
}

func (c *capped) Write(p []byte) (int, error) {
	if c.left -= len(p); c.left < 0 {
		c.full()
		return 0, errTooMuch
	}
	return c.buf.Write(p)
}

// kept holds the beginning of what is written, and swallows the rest.
type kept struct {
	buf  bytes.Buffer
	left int
}

func (k *kept) Write(p []byte) (int, error) {
	n := min(len(p), k.left-k.buf.Len())
	k.buf.Write(p[:n])
	return len(p), nil
}
