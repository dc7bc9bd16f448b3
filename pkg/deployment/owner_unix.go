//go:build unix

package deployment

import (
	"io/fs"
	"syscall"

	"philipp.info/stackgen/pkg/memfs"
)

// fileOwner gives the user and group that a file belongs to; ok is false where the file system does not say.
func fileOwner(info fs.FileInfo) (uid, gid int, ok bool) {
	switch st := info.Sys().(type) {
	case memfs.Owner:
		return st.UID, st.GID, true
	case *syscall.Stat_t:
		if st != nil {
			return int(st.Uid), int(st.Gid), true
		}
	}
	return 0, 0, false
}
