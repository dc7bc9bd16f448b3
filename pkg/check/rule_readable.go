package check

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

// mapped is where the users of containers begin on hosts that give each of them numbers of its own.
const mapped = 65536

var configReadable = Rule{
	ID: "config-readable", Severity: finding.Error,
	Summary:     "owner and mode of every file let the container's user read it, and nobody else",
	Why:         "\"Permission denied\" at the start: PermissionError: [Errno 13] in Synapse's log, \"permission denied\" for /run/secrets, which Docker mounts with the owner and mode of the host.",
	Fix:         "Give the files to the user of the container (chown), and close them to others (chmod 600).",
	Source:      "Synapse docker/start.py; MAS Dockerfile; docker compose create.go, observed with v5.6.0",
	ComposeOnly: "what a pod may read of a Secret is set at it (defaultMode, fsGroup), which kubernetes-objects-fit looks at",
	Check: func(d *deployment.Deployment, r *Reporter) {
		open := make(map[string]deployment.Access)
		told := make(map[string]bool)
		var unsure []string
		as := keptAs(d)
		for _, s := range d.Services {
			files := d.ReadFiles(s)
			if user := checkReadable(r, d, s, files, told, as); user != "" {
				unsure = append(unsure, user)
			}
			for _, name := range files {
				if a, ok := d.Access(name); ok && a.Mode&0o004 != 0 && reachable(d, name) && s.Program != component.Unknown && mayHoldSecrets(d, name) {
					open[name] = a
				}
			}
		}
		switch {
		case len(unsure) > 0:
			r.NotChecked("all files here have one owner and one mode, as in a copy: whether "+finding.Sentence(unsure, "and")+" can read theirs on the host cannot be seen", d.ServicesAt.Site(""))
		case len(open) > 0 && as == copied:
			r.NotChecked("all files here have one owner and can be read by everybody, as in a checkout: who can read their secrets on the host cannot be seen", d.ServicesAt.Site(""))
		default:
			warnOpen(r, open)
		}
	},
}

// kept is what owners and modes of the files here say about those on the host.
type kept int

const (
	copied kept = iota // nothing: all are alike, as git and cp leave them
	closed             // somebody closed some of them, and gave none to another owner
	owned              // each has its owner
)

// keptAs tells from all that is read, and from the directories that containers are given.
func keptAs(d *deployment.Deployment) kept {
	if d.Chosen.Managed {
		return owned
	}
	names := slices.Clone(d.Chosen.Files)
	for _, s := range d.Services {
		names = append(names, d.ReadFiles(s)...)
		for _, m := range s.Mounts {
			if m.Host != "" {
				names = append(names, m.Host)
			}
		}
	}
	owners, others := make(map[int]bool), make(map[bool]bool)
	for _, name := range names {
		if a, ok := d.Access(name); ok {
			owners[a.Owner] = true
			if a.Mode.IsRegular() {
				others[a.Mode&0o004 != 0] = true
			}
		}
	}
	switch {
	case len(owners) > 1:
		return owned
	case len(others) > 1:
		return closed
	}
	return copied
}

// checkReadable reports the files that the user of a service cannot read, once for all services of that user. Where
// nothing can be told from a copy, it gives the service and its user instead.
func checkReadable(r *Reporter, d *deployment.Deployment, s *deployment.Service, files []string, told map[string]bool, as kept) (unsure string) {
	uid, gid, at, ok := s.User()
	if !ok {
		return ""
	}
	command := "sudo chown"
	var shut []string
	var sites []source.Site
	for _, name := range files {
		a, ok := d.Access(name)
		if dir := barred(d, s, name, uid, gid); dir != "" {
			name, command = dir, "sudo chown -R"
			a, _ = d.Access(name)
		} else if !ok || a.Allows(uid, gid, 0o004) {
			continue
		}
		if key := fmt.Sprint(uid, gid, name); !told[key] {
			told[key] = true
		} else {
			continue
		}
		if a.Owner > mapped {
			r.NotChecked(fmt.Sprintf("%s belongs to the user %d, as it does where containers have users of their own", name, a.Owner), at.Site(s.Name))
			return ""
		}
		shut = append(shut, name)
		if len(sites) < 4 {
			sites = append(sites, source.Site{Pos: source.Pos{File: name}, Note: a.String()})
		}
	}
	switch {
	case len(shut) == 0:
		return ""
	case as == copied:
		return fmt.Sprintf("%s (user %d)", s.Name, uid)
	}
	what := shut[0]
	if len(shut) > 1 {
		what = fmt.Sprintf("%s and %d more", shut[0], len(shut)-1)
	}
	report, when := r.Fail, "it does not start"
	if as == closed {
		report, when = r.Warn, "it does not start, if all files belong to one user on the host as they do here"
	}
	report(fmt.Sprintf("%s runs as user %d, who cannot read %s; %s (permission denied)", s.Name, uid, what, when),
		fmt.Sprintf("%s %d:%d %s", command, uid, max(gid, 0), shell.Paths(shut...)), append(sites, at.Site("runs as this user"))...)
	return ""
}

// barred is the first directory on the way to a file, from the mount on, that the user cannot enter.
func barred(d *deployment.Deployment, s *deployment.Service, name string, uid, gid int) (dir string) {
	for _, m := range s.Mounts {
		if m.Host == "" || name == m.Host || !deployment.Within(name, m.Host) {
			continue
		}
		for up := path.Dir(name); deployment.Within(up, m.Host); up = path.Dir(up) {
			if a, ok := d.Access(up); ok && !a.Allows(uid, gid, 0o001) {
				dir = up
			}
			if up == "." {
				break
			}
		}
	}
	return dir
}

// reachable reports whether others get to a file: every directory down to it lets them through.
func reachable(d *deployment.Deployment, name string) bool {
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		if info, err := fs.Stat(d.FS, dir); err == nil && info.Mode()&0o001 == 0 {
			return false
		}
		if dir == "." {
			return true
		}
	}
}

// mayHoldSecrets reports whether secrets may stand in a file. A script takes them from elsewhere, unless one is written in it.
func mayHoldSecrets(d *deployment.Deployment, name string) bool {
	src, err := source.ReadFS(d.FS, name)
	if err != nil || !bytes.HasPrefix(src, []byte("#!")) {
		return true
	}
	return slices.ContainsFunc(d.Secrets(), func(h deployment.Secret) bool { return h.Value != "" && bytes.Contains(src, []byte(h.Value)) })
}

// warnOpen reports files with secrets that every user of the host can read.
func warnOpen(r *Reporter, open map[string]deployment.Access) {
	var names []string
	for name := range open {
		if path.Base(name) != "log.config" && !strings.HasSuffix(name, ".log.config") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	place := func(name string) []source.Site {
		return []source.Site{{Pos: source.Pos{File: name}, Note: open[name].String()}}
	}
	severally(r, names, place, func(r *Reporter, names []string) {
		var sites []source.Site
		for _, name := range names[:min(len(names), 4)] {
			sites = append(sites, place(name)...)
		}
		r.Warn(fmt.Sprintf("every user of the host can read %s; secrets stand in there", finding.Sentence(names, "and")), "sudo chmod o-rwx "+shell.Paths(names...), sites...)
	})
}
