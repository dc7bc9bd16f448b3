package check

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
)

var composeSandbox = Rule{
	ID: "compose-sandbox", Severity: finding.Error,
	Summary: "a container from which rights were taken keeps those that its image needs",
	Why:     "\"could not create lock file …: Read-only file system\", \"No usable temporary directory found\", \"error: failed switching to … operation not permitted\": the container does not start, uploads fail, or pictures do not cross the bridge.",
	Fix:     "Mount a tmpfs where the image writes; set user, or give back the capabilities by which the start script changes to its own user.",
	Source:  "docker-library/postgres docker-entrypoint.sh; Synapse docker/start.py; mautrix docker-run.sh; coturn 4.17.1 docker/coturn/debian/Dockerfile; Element Web docker/docker-entrypoint.d; run in e2e",
	Check: func(d *deployment.Deployment, r *Reporter) {
		servers := d.PostgresServers()
		for _, s := range d.Services {
			// Images called postgresql have another start script, which needs neither root nor this directory.
			server := slices.Contains(servers, s) && path.Base(s.Image.Repository) == "postgres"
			if s.ReadOnly.True() {
				checkWritable(r, s, server)
			}
			checkDrops(r, s, server)
			checkBound(r, s)
		}
	},
}

// checkWritable has the directories that a program writes, on a root file system that it cannot.
func checkWritable(r *Reporter, s *deployment.Service, server bool) {
	dir, options, consequence := "", "", ""
	tmp, _ := s.Env("TMPDIR")
	tmp = cmp.Or(tmp, "/tmp")
	switch {
	case server && !strings.Contains(strings.Join(s.Command(), " "), "unix_socket_directories"):
		dir, consequence = "/var/run/postgresql", "PostgreSQL does not start"
		if uid, gid, ok := strings.Cut(s.UserAt.Str(), ":"); ok {
			options = ":uid=" + uid + ",gid=" + gid
		}
	case s.Program == component.Synapse && s.EnvHidden("TMPDIR") == "":
		dir, consequence = tmp, "uploads fail (No usable temporary directory found)"
	case s.Program == component.Element && newEnough(s, component.Version{1, 12, 0}):
		dir, consequence = "/tmp", "Element Web does not start: it copies its configuration there, and nginx keeps its own files there"
	case s.Component().Bridge != nil && s.EnvHidden("TMPDIR") == "":
		dir, consequence = tmp, "media that the bridge has to convert do not arrive"
	default:
		return
	}
	// In the images /var/run is a link to /run.
	for _, name := range []string{dir, strings.TrimPrefix(dir, "/var")} {
		if m := s.MountAt(path.Clean(name)); m != nil && !m.ReadOnly {
			return
		}
	}
	r.Fail(fmt.Sprintf("%s is read_only, and nothing that can be written is mounted at %s; %s", s.Name, dir, consequence),
		s.Lines().Scratch(dir+options), s.Tmpfs.Site(""), s.ReadOnly.Site("read-only"))
}

// newEnough reports whether the tag of a service names that release or a later one.
func newEnough(s *deployment.Service, least component.Version) bool {
	v, tagged := s.Image.Version()
	return tagged && !v.Less(least)
}

// checkBound has coturn's own images, whose program has a capability by its file: the kernel starts none that may not have it.
func checkBound(r *Reporter, s *deployment.Service) {
	const needed = "NET_BIND_SERVICE"
	own := strings.TrimPrefix(strings.TrimPrefix(s.Image.Repository, "docker.io/"), "ghcr.io/") == "coturn/coturn"
	if s.Program == component.Coturn && own && newEnough(s, component.Version{4, 6, 0}) && has(s.CapDrop, needed) && !has(s.CapAdd, needed) && !s.Privileged.True() {
		r.Fail(fmt.Sprintf("%s has lost %s, which the file of its program asks for; it does not start (operation not permitted)", s.Name, needed), s.Lines().Capability(needed), s.CapDrop.Site(""))
	}
}

// has reports whether a list of capabilities has one.
func has(list deployment.List, name string) bool {
	return slices.ContainsFunc(list.Items, func(v deployment.Leaf) bool {
		given := strings.TrimPrefix(strings.ToUpper(v.Str()), "CAP_")
		return given == name || given == "ALL"
	})
}

func checkDrops(r *Reporter, s *deployment.Service, server bool) {
	user := s.UserAt
	root, _, _ := strings.Cut(user.Str(), ":")
	if !s.Switches(server) || user.Set() && root != "0" && root != "root" || s.Privileged.True() {
		return
	}
	drops := s.CapDrop
	var missing []string
	for _, name := range []string{"SETUID", "SETGID"} {
		if has(drops, name) && !has(s.CapAdd, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		r.Fail(fmt.Sprintf("%s starts as root and has lost %s, by which its start script changes to another user; it does not start", s.Name, finding.Sentence(missing, "and")),
			s.Lines().AsUser(missing...), drops.Site(""), user.Site("its user"))
	}
}
