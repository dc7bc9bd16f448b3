package check

import (
	"fmt"
	"path"
	"slices"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var bridgeStartChown = Rule{
	ID: "bridge-start-chown", Severity: finding.Error,
	Summary:     "no other program reads files in a directory that a bridge's start script takes over",
	Why:         "At every start docker-run.sh gives all of /data to the user of the bridge (chown -R, 1337 by default); whoever else reads a file there, such as Synapse the registration, gets \"Permission denied\" at its own next start.",
	Fix:         "Give the other program a copy of the file elsewhere, or start the bridge directly, as a user that the directory belongs to.",
	Source:      "docker-run.sh of mautrix-signal v0.2608.0, mautrix-discord v0.7.7; mautrix/discord#165",
	ComposeOnly: "what is mounted of a Secret can be given to nobody, and a claim is of one pod",
	Check: func(d *deployment.Deployment, r *Reporter) {
		reads, as := make(map[*deployment.Service][]string), keptAs(d)
		for _, b := range d.Bridges {
			m := b.MountAt("/data")
			uid := b.StartUser()
			if !b.StartScript() || !b.Root() || m == nil || m.Host == "" || m.ReadOnly || uid < 0 {
				continue
			}
			for _, s := range d.Services {
				if s == b.Service || s.Absent.Why != "" {
					continue
				}
				if _, known := reads[s]; !known {
					reads[s] = readsFirst(d, s)
				}
				checkTakenOver(r, d, b, m, s, reads[s], uid, as)
			}
		}
	},
}

// readsFirst are the files that a service reads, those that it reads for certain first.
func readsFirst(d *deployment.Deployment, s *deployment.Service) (files []string) {
	all := d.ReadFiles(s)
	for _, syn := range d.Synapses {
		for _, reg := range syn.Registrations {
			if syn.Service == s && slices.Contains(all, reg.Path) {
				files = append(files, reg.Path)
			}
		}
	}
	slices.Reverse(files)
	return append(files, all...)
}

func checkTakenOver(r *Reporter, d *deployment.Deployment, b *deployment.Bridge, m *deployment.Mount, s *deployment.Service, files []string, taker int, as kept) {
	uid, gid, at, ok := s.User()
	if !ok || uid == 0 || uid == taker {
		return
	}
	for _, name := range files {
		if !deployment.Within(name, m.Host) {
			continue
		}
		a, known := d.Access(name)
		if !known {
			continue
		}
		if as == copied && !a.Allows(uid, gid, 0o004) {
			continue // config-readable says that this cannot be seen
		}
		a = a.TakenBy(taker)
		if a.Allows(uid, gid, 0o004) {
			continue
		}
		r.Fail(fmt.Sprintf("the start script of %s gives %s to the user %d, and %s reads it as %d; after the next start of the bridge it cannot", b.Name, name, taker, s.Name, uid),
			"a copy of the file outside of "+path.Clean(m.Host), m.At.Site("taken over"), source.Site{Pos: source.Pos{File: name}, Note: a.String()}, at.Site("reads it"))
		return
	}
}
