package render

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

// of gives the sandbox of a service that runs as uid:gid.
func (b Sandbox) of(user string) Sandbox {
	uid, gid, _ := strings.Cut(user, ":")
	b.Tmpfs = slices.Clone(b.Tmpfs)
	for i, dir := range b.Tmpfs {
		b.Tmpfs[i] = strings.NewReplacer("UID", uid, "GID", gid).Replace(dir)
	}
	return b
}

// sandboxes has what each service needs; the bridges are all alike.
var sandboxes = map[string]Sandbox{
	// The socket and its lock, in a directory of its own (run in e2e: runc goes by the mode of the
	// image, and makes root its owner); the start script makes a passwd file in /tmp for a user that the image does not know.
	// Parallel queries share memory through /dev/shm. A checkpoint may take long: without it the next start recovers.
	"postgres": {Tmpfs: []string{"/var/run/postgresql:" + asUser, "/tmp"}, ShmSize: "256m", StopGrace: "2m"},
	"db-init":  {},
	// Uploads go through its own directory instead: TMPDIR.
	"synapse": {Tmpfs: []string{"/tmp"}},
	"mas":     {},
	// Root, because it reads the files of two users, which root may not without this.
	"syn2mas":   {Caps: []string{"DAC_READ_SEARCH"}},
	"signal":    bridgeSandbox,
	"whatsapp":  bridgeSandbox,
	"telegram":  bridgeSandbox,
	"discord":   bridgeSandbox,
	"meta":      bridgeSandbox,
	"instagram": bridgeSandbox,
}

// Media are converted in files of /tmp.
var bridgeSandbox = Sandbox{Tmpfs: []string{"/tmp"}}
