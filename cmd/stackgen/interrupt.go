package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

// interrupted is the cause of a context that a signal has ended.
type interrupted struct{ signal os.Signal }

func (i interrupted) Error() string { return "interrupted" }

// code is that of a program that the signal ends: 130 for Ctrl-C, 143 for SIGTERM.
func (i interrupted) code() int {
	if s, ok := i.signal.(syscall.Signal); ok {
		return 128 + int(s)
	}
	return exitFailed
}

// grace is how long a run may take to stop by itself, before it is stopped in the middle: what it writes then
// is as whole as after any other death.
const grace = time.Second

// interruptible does the work with a context that Ctrl-C and SIGTERM end. Work that ends in spite of a signal
// keeps its code; otherwise it is the signal's.
func interruptible(stderr io.Writer, work func(context.Context) int) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	terminal, _ := term.GetState(int(os.Stdin.Fd())) // while a secret is typed, it does not show what is typed
	done := make(chan int, 1)
	go func() { done <- work(ctx) }()
	var why interrupted
	select {
	case code := <-done:
		return code
	case s := <-signals:
		why = interrupted{s}
		cancel(why)
	}
	select {
	case code := <-done:
		return code
	case <-signals:
	case <-time.After(grace):
	}
	if terminal != nil {
		_ = term.Restore(int(os.Stdin.Fd()), terminal)
	}
	fmt.Fprintln(stderr, "\nstackgen: interrupted; no file is half written, and the same command again completes what was begun")
	return why.code()
}

// ended is the error of a run that a signal has ended, with what became of the work; nil while none has.
func ended(ctx context.Context, format string, args ...any) error {
	why, ok := errors.AsType[interrupted](context.Cause(ctx))
	if !ok {
		return nil
	}
	return endedError{why, fmt.Sprintf(format, args...)}
}

type endedError struct {
	interrupted
	state string
}

func (e endedError) Error() string { return "interrupted; " + e.state }
