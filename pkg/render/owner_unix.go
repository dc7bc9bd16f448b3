//go:build unix

package render

import (
	"io/fs"
	"syscall"
)

func ownedBy(info fs.FileInfo, uid, gid int) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == uid && int(st.Gid) == gid
}

// owner is what the FileInfo of a file with this owner gives as Sys.
func owner(uid, gid int) any { return &syscall.Stat_t{Uid: uint32(uid), Gid: uint32(gid)} }
