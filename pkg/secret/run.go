package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// commandTimeout leaves time to type a passphrase or to touch a key.
const commandTimeout = 60 * time.Second

var errTooMuch = errors.New("printed more than a secret can be")

// run gives what a command prints, at most limit bytes. The error is a clause about the program, without
// anything that the program printed.
func run(ctx context.Context, dir string, argv []string, limit int) (string, error) {
	return runEnv(ctx, dir, nil, argv, limit)
}

func runEnv(ctx context.Context, dir string, env, argv []string, limit int) (string, error) {
	if len(argv) == 0 || argv[0] == "" {
		return "", errors.New("names no program")
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, env
	// A helper that the program leaves running must not keep us waiting for its end of the pipe.
	cmd.WaitDelay = 2 * time.Second
	out := &capped{left: limit, full: cancel}
	cmd.Stdout = out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return out.buf.String(), nil
	case out.left < 0:
		return "", errTooMuch
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", errors.New("did not end in time (60 seconds at most)")
	case ctx.Err() != nil:
		return "", errors.New("was interrupted")
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("is not installed")
	case errors.Is(err, exec.ErrWaitDelay):
		return "", errors.New("left a process behind that keeps its output open")
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return "", &exitError{exit.ExitCode()}
	case errors.As(err, &exit):
		return "", errors.New("was killed by a signal")
	}
	return "", fmt.Errorf("cannot be started: %w", pathless(err))
}

type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("ended with status %d", e.code) }

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

// program is the part of a command that may be shown: its arguments can hold anything.
func program(argv []string) string {
	if len(argv) == 0 {
		return "(none)"
	}
	return filepath.Base(argv[0])
}
