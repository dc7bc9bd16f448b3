//go:build unix

package check_test

import "syscall"

// owned is the Sys of a file that belongs to the user and group.
func owned(uid, gid int) any { return &syscall.Stat_t{Uid: uint32(uid), Gid: uint32(gid)} }
