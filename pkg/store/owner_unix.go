//go:build unix

package store

import (
	"io/fs"
	"os"
	"syscall"
)

func ownedBy(info fs.FileInfo, uid, gid int) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == uid && int(st.Gid) == gid
}

// names is how many names a file has.
func names(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Nlink)
	}
	return 1
}

// giveLike gives a file to the user and group of another one.
func giveLike(f *os.File, like fs.FileInfo) error {
	st, ok := like.Sys().(*syscall.Stat_t)
	if info, err := f.Stat(); !ok || err != nil || ownedBy(info, int(st.Uid), int(st.Gid)) {
		return err
	}
	return f.Chown(int(st.Uid), int(st.Gid))
}
