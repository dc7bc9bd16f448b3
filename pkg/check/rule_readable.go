package check

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/confighash"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

// imageUsers are the users as which programs read their files unless the compose file says otherwise. Synapse
// starts as root and then becomes this one; the bridges' start script hands /data to theirs; PostgreSQL's
// entrypoint reads as root what it is handed.
var imageUsers = map[image.Program]int{image.Synapse: 991, image.MAS: 65532}

// user is whom the program of a service reads its files as; ok is false where that cannot be told.
func (s *Service) user() (uid, gid int, at source.Value, ok bool) {
	at = s.Value.At("user")
	if text, known := s.d.expand(at); at.Set() {
		u, g, both := strings.Cut(text, ":")
		uid, err := strconv.Atoi(u)
		gid, errGroup := strconv.Atoi(g)
		if u == "root" {
			uid, err = 0, nil
		}
		if !both || errGroup != nil {
			gid = -1
		}
		return uid, gid, at, known && err == nil
	}
	uid, ok = imageUsers[s.Program]
	gid, at = uid, s.Value.At("image")
	if s.Program == image.Synapse {
		for _, e := range []struct {
			name string
			id   *int
		}{{"UID", &uid}, {"GID", &gid}} {
			if text, v := s.Env(e.name); text != "" {
				n, err := strconv.Atoi(text)
				*e.id, at, ok = n, v, ok && err == nil
			}
		}
	}
	return uid, gid, at, ok
}

// maxWalk bounds how many files below one mount are looked at: configuration is small, and what is not is data.
const maxWalk = 500

// readFiles lists the files of the deployment that the program of a service reads: what is mounted read-only,
// its secrets, its configuration, and what that names.
func (d *Deployment) readFiles(s *Service) []string {
	var files []string
	add := func(name string) {
		if info, err := fs.Stat(d.FS, name); err == nil && info.Mode().IsRegular() && !slices.Contains(files, name) {
			files = append(files, name)
		}
	}
	for _, top := range confighash.Reads(d.Compose, s.Name) {
		n := 0
		_ = fs.WalkDir(d.FS, top, func(name string, _ fs.DirEntry, err error) error {
			if n++; err != nil || n > maxWalk {
				return fs.SkipAll
			}
			add(name)
			return nil
		})
	}
	follow := func(container string) {
		if host, reason := s.HostPath(container); reason == "" {
			add(host)
		}
	}
	if s.configPath != "" {
		follow(s.configPath)
	}
	for _, syn := range d.Synapses {
		if syn.Service == s {
			for _, reg := range syn.Registrations {
				add(reg.Path)
			}
			d.scalars(syn.Config.Root(), func(v source.Value) { followPath(v, follow) })
		}
	}
	for _, m := range d.MASs {
		if m.Service == s {
			d.scalars(m.Config.Root(), func(v source.Value) { followPath(v, follow) })
		}
	}
	return files
}

// followPath follows a setting that names a file.
func followPath(v source.Value, follow func(string)) {
	name := v.Name()
	if strings.HasPrefix(v.Str(), "/") && (name == "log_config" || strings.HasSuffix(name, "_path") || strings.HasSuffix(name, "_file")) {
		follow(v.Str())
	}
}

// access is what one user may do with a file or directory.
type access struct {
	owner, group int
	mode         fs.FileMode
}

func (d *Deployment) access(name string) (a access, ok bool) {
	info, err := fs.Stat(d.FS, name)
	if err != nil {
		return a, false
	}
	a.mode = info.Mode()
	a.owner, a.group, ok = fileOwner(info)
	return a, ok
}

// allows reports whether the user has the permission, given as the bit of the others. Of a group that cannot
// be told the best is assumed.
func (a access) allows(uid, gid int, bit fs.FileMode) bool {
	switch {
	case uid == 0:
		return true
	case a.owner == uid:
		bit <<= 6
	case a.group == gid || gid < 0 && a.mode&(bit<<3) != 0:
		bit <<= 3
	}
	return a.mode&bit != 0
}

// mapped is where the users of containers begin on hosts that give each of them numbers of its own.
const mapped = 65536

var configReadable = Rule{
	ID: "config-readable", Severity: finding.Error,
	Summary: "owner and mode of every file let the container's user read it, and nobody else",
	Why:     "\"Permission denied\" at the start: PermissionError: [Errno 13] in Synapse's log, \"permission denied\" for /run/secrets, which Docker mounts with the owner and mode of the host.",
	Fix:     "Give the files to the user of the container (chown), and close them to others (chmod 600).",
	Source:  "Synapse docker/start.py; MAS Dockerfile; docker compose create.go, observed with v5.6.0",
	Check: func(d *Deployment, r *Reporter) {
		open := make(map[string]access)
		told := make(map[string]bool)
		for _, s := range d.Services {
			files := d.readFiles(s)
			d.checkReadable(r, s, files, told)
			for _, name := range files {
				if a, ok := d.access(name); ok && a.mode&0o004 != 0 && d.reachable(name) && s.Program != image.Unknown {
					open[name] = a
				}
			}
		}
		d.warnOpen(r, open)
	},
}

// checkReadable reports the files that the user of a service cannot read, once for all services of that user.
func (d *Deployment) checkReadable(r *Reporter, s *Service, files []string, told map[string]bool) {
	uid, gid, at, ok := s.user()
	if !ok {
		return
	}
	command := "sudo chown"
	var closed []string
	var sites []source.Site
	for _, name := range files {
		a, ok := d.access(name)
		if dir := d.barred(s, name, uid, gid); dir != "" {
			name, command = dir, "sudo chown -R"
			a, _ = d.access(name)
		} else if !ok || a.allows(uid, gid, 0o004) {
			continue
		}
		if key := fmt.Sprint(uid, gid, name); !told[key] {
			told[key] = true
		} else {
			continue
		}
		if a.owner > mapped {
			r.NotChecked(fmt.Sprintf("%s belongs to the user %d, as it does where containers have users of their own", name, a.owner), at.Site(s.Name))
			return
		}
		closed = append(closed, name)
		if len(sites) < 4 {
			sites = append(sites, source.Site{Pos: source.Pos{File: name}, Note: a.String()})
		}
	}
	if len(closed) == 0 {
		return
	}
	what := closed[0]
	if len(closed) > 1 {
		what = fmt.Sprintf("%s and %d more", closed[0], len(closed)-1)
	}
	r.Fail(fmt.Sprintf("%s runs as user %d, who cannot read %s; it does not start (permission denied)", s.Name, uid, what),
		fmt.Sprintf("%s %d:%d %s", command, uid, max(gid, 0), shell.Paths(closed...)), append(sites, at.Site("runs as this user"))...)
}

// barred is the first directory on the way to a file, from the mount on, that the user cannot enter.
func (d *Deployment) barred(s *Service, name string, uid, gid int) (dir string) {
	for _, m := range s.Mounts {
		if m.Host == "" || name == m.Host || !within(name, m.Host) {
			continue
		}
		for up := path.Dir(name); within(up, m.Host); up = path.Dir(up) {
			if a, ok := d.access(up); ok && !a.allows(uid, gid, 0o001) {
				dir = up
			}
			if up == "." {
				break
			}
		}
	}
	return dir
}

func (a access) String() string {
	return fmt.Sprintf("owner %d:%d, mode %04o", a.owner, a.group, a.mode.Perm())
}

// reachable reports whether others get to a file: every directory down to it lets them through.
func (d *Deployment) reachable(name string) bool {
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		if info, err := fs.Stat(d.FS, dir); err == nil && info.Mode()&0o001 == 0 {
			return false
		}
		if dir == "." {
			return true
		}
	}
}

// warnOpen reports files with secrets that every user of the host can read.
func (d *Deployment) warnOpen(r *Reporter, open map[string]access) {
	var names []string
	var sites []source.Site
	for name := range open {
		if path.Base(name) != "log.config" && !strings.HasSuffix(name, ".log.config") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names[:min(len(names), 4)] {
		sites = append(sites, source.Site{Pos: source.Pos{File: name}, Note: open[name].String()})
	}
	if len(names) > 0 {
		r.Warn(fmt.Sprintf("every user of the host can read %s; secrets stand in there", sentence(names, "and")), "sudo chmod o-rwx "+shell.Paths(names...), sites...)
	}
}
