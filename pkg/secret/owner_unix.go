//go:build unix

package secret

import (
	"io/fs"
	"os"
	"syscall"
)

// giveTo gives a file of root to the owner of another: after one `sudo stackgen render` a user could
// otherwise not read his own secrets any more.
func giveTo(f *os.File, like fs.FileInfo) error {
	st, ok := like.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 || st.Uid == 0 {
		return nil
	}
	return f.Chown(int(st.Uid), int(st.Gid))
}
