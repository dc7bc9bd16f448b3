//go:build unix

package check_test

import "syscall"

// owned is the Sys of a file that belongs to the user and group.
func owned(uid, gid int) any { return &syscall.Stat_t{Uid: uint32(uid), Gid: uint32(gid)} }

// ownerOf is the reverse of owned.
func ownerOf(sys any) (uid, gid int, ok bool) {
	s, ok := sys.(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(s.Uid), int(s.Gid), true
}
