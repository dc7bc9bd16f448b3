//go:build unix

package check

import (
	"io/fs"
	"syscall"
)

// fileOwner gives the user and group that a file belongs to; ok is false where the file system does not say.
func fileOwner(info fs.FileInfo) (uid, gid int, ok bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st == nil {
		return 0, 0, false
	}
	return int(st.Uid), int(st.Gid), true
}
