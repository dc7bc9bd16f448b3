package component

import (
	"slices"
	"strings"
)

// Sandbox is what a container is left with. Every service runs as a user of its own, on a root file system that it
// cannot write, without a capability, and cannot gain one: what an image needs beyond that stands here.
type Sandbox struct {
	Caps      []string // capabilities that it keeps
	Tmpfs     []string // directories that it may write, whose content goes with the container
	ShmSize   string   // of /dev/shm; Docker's default is 64 MB
	StopGrace string   // how long it may take to stop; Docker's default is 10 s
}

// asUser are the options of a tmpfs that belongs to the service's own user.
const asUser = "uid=UID,gid=GID"

// For gives the sandbox of a service that runs as uid:gid.
func (b Sandbox) For(user string) Sandbox {
	uid, gid, _ := strings.Cut(user, ":")
	b.Tmpfs = slices.Clone(b.Tmpfs)
	for i, dir := range b.Tmpfs {
		b.Tmpfs[i] = strings.NewReplacer("UID", uid, "GID", gid).Replace(dir)
	}
	return b
}
