package deployment

import (
	"fmt"
	"io/fs"
)

// Access is what one user may do with a file or directory.
type Access struct {
	Owner, group int
	Mode         fs.FileMode
}

// Access is who may do what with a file; ok is false where the file system does not say.
func (d *Deployment) Access(name string) (a Access, ok bool) {
	info, err := fs.Stat(d.FS, name)
	if err != nil {
		return a, false
	}
	a.Mode = info.Mode()
	a.Owner, a.group, ok = fileOwner(info)
	return a, ok
}

// Allows reports whether the user has the permission, given as the bit of the others. Of a group that cannot
// be told the best is assumed.
func (a Access) Allows(uid, gid int, bit fs.FileMode) bool {
	switch {
	case uid == 0:
		return true
	case a.Owner == uid:
		bit <<= 6
	case a.group == gid || gid < 0 && a.Mode&(bit<<3) != 0:
		bit <<= 3
	}
	return a.Mode&bit != 0
}

// String is the access for an error text, as in "owner 991:991, mode 0600".
func (a Access) String() string {
	return fmt.Sprintf("owner %d:%d, mode %04o", a.Owner, a.group, a.Mode.Perm())
}

// TakenBy is what becomes of it when the file is given to a user and the group of the same number.
func (a Access) TakenBy(uid int) Access { return Access{Owner: uid, group: uid, Mode: a.Mode} }
