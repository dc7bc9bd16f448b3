package command

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestCommandIsStopped(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := (Command{Argv: []string{"/bin/sh", "-c", "sleep 30 & sleep 30"}}).Output(ctx, 1<<16)
	if err == nil || !strings.Contains(err.Error(), "in time") {
		t.Errorf("err = %v", err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("it took %s", d)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := (Command{Argv: []string{"/bin/sh", "-c", "sleep 30"}}).Output(ctx, 1<<16); err == nil || err.Error() != "was interrupted" {
		t.Errorf("err = %v", err)
	}
}

// A program that does not end is ended, whatever the caller allows.
func TestTimeout(t *testing.T) {
	start := time.Now()
	_, err := Command{Argv: []string{"/bin/sh", "-c", "echo started; exec sleep 30"}}.output(t.Context(), 1<<16, time.Second)
	if err == nil || err.Error() != "did not end in time (1 seconds at most)" {
		t.Errorf("err = %v", err)
	}
	if d := time.Since(start); d < time.Second || d > 10*time.Second {
		t.Errorf("it took %s", d)
	}
	// What a person types takes longer than a machine, and a hook that hangs is to say so.
	if timeout < 30*time.Second || timeout > 5*time.Minute {
		t.Errorf("the timeout is %s", timeout)
	}
}

func TestStderrIsBounded(t *testing.T) {
	_, err := Command{Argv: []string{"/bin/sh", "-c", "yes complaint | head -c 100000 >&2; exit 7"}}.Output(t.Context(), 1<<16)
	exit := (*ExitError)(nil)
	if !errors.As(err, &exit) || exit.Code != 7 || len(exit.Stderr) != maxStderr {
		t.Errorf("err = %#v", err)
	}
	if err != nil && strings.Contains(err.Error(), "complaint") {
		t.Error("the error shows what the program said")
	}
}
