//go:build unix || windows

package source

import "syscall"

const nonblock = syscall.O_NONBLOCK
