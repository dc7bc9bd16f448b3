//go:build !unix

package deployment

import (
	"io/fs"

	"philipp.info/stackgen/pkg/memfs"
)

func fileOwner(info fs.FileInfo) (uid, gid int, ok bool) {
	o, ok := info.Sys().(memfs.Owner)
	return o.UID, o.GID, ok
}
