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
